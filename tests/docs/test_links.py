"""The links that lead away are found and asked, here on a host of our own."""

import http.server
import threading

import pytest

from chalkdocs import links


class Host(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(self.path[1:4]))
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def host():
    with http.server.HTTPServer(("127.0.0.1", 0), Host) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_link_that_leads_nowhere_is_told(host, tmp_path, capsys):
    page = tmp_path / "training/index.html"
    page.parent.mkdir()
    page.write_text(
        f'<a href="{host}/200?a=1&amp;b=2#there">good</a> <a href="../">ours</a>'
        f'<a class="x" href="{host}/404">gone</a> <a href="{host}/403">shy</a>'
    )
    assert links.main(tmp_path) == 1
    said = capsys.readouterr().out
    assert f"training/index.html: {host}/404: HTTP Error 404" in said
    assert said.endswith("3 links lead away, 1 of them nowhere\n")


def test_a_host_that_is_not_there_is_told(host):
    assert not links.problem(f"{host}/200")
    assert links.problem("http://127.0.0.1:9/")  # nobody listens there
