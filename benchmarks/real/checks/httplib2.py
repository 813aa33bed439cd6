"""A page comes from a server of our own, and the second time from the cache."""

import http.server
import tempfile
import threading

import httplib2

asked = []


class Pages(http.server.BaseHTTPRequestHandler):
    """One page that may be kept."""

    def do_GET(self):
        asked.append(self.path)
        self.send_response(200)
        self.send_header("cache-control", "max-age=600")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Pages)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = httplib2.Http(tempfile.mkdtemp(), timeout=20)
for _ in range(2):
    response, content = client.request(f"http://127.0.0.1:{server.server_port}/a")
    assert response.status == 200 and content == b"hello"
assert response.fromcache and asked == ["/a"]
server.shutdown()
