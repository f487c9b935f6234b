// The editor of a snippet: CodeMirror, with the colours of the page.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colours = HighlightStyle.define(
  [
    [tags.keyword, "keyword"],
    [[tags.string, tags.special(tags.string)], "string"],
    [[tags.number, tags.bool, tags.null], "number"],
    [tags.comment, "comment"],
    [[tags.function(tags.variableName), tags.definition(tags.function(tags.variableName))], "function"],
    [tags.operator, "operator"],
    [tags.punctuation, "punctuation"],
  ].map(([tag, name]) => ({ tag, color: `var(--md-code-hl-${name}-color)` })),
);

// An editor in `parent`. Tab leaves it, as everywhere on a page.
export default (parent, { text, label, run, leave, changed }) => new EditorView({
  parent,
  state: EditorState.create({
    doc: text,
    extensions: [
      history(),
      drawSelection(),
      indentOnInput(),
      bracketMatching(),
      indentUnit.of("    "),
      python(),
      syntaxHighlighting(colours),
      EditorView.lineWrapping,
      EditorView.updateListener.of(({ docChanged, state }) => docChanged && changed(state.doc.toString())),
      EditorView.contentAttributes.of({ "aria-label": label }),
      keymap.of([
        ...["Shift-Enter", "Ctrl-Enter", "Mod-Enter"].map(key => ({ key, run: () => { run(); return true; } })),
        { key: "Escape", run: () => { leave(); return true; } },
        ...defaultKeymap,
        ...historyKeymap,
      ]),
    ],
  }),
});
