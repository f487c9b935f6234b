"""The figures of the site: code that the build runs, one module a page.

In a page, ``![what it shows](figure:gradient_descent.bowl "caption")`` is the SVG that
the function `bowl` of the module `gradient_descent` here draws. It draws in sentinel
colours: ink becomes the colour of the text and the series become the palette of the
theme, so that a figure follows light and dark.
"""
