"""A request is parsed, and an application answers it."""

from webob import Request, Response, exc
from webob.dec import wsgify


@wsgify
def application(request):
    if request.path == "/none":
        raise exc.HTTPNotFound("nothing here")
    return Response(f"{request.method} {request.GET.getall('a')} {request.POST.get('b')}", charset="utf-8")


response = Request.blank("/x?a=1&a=2", POST={"b": "é"}).get_response(application)
assert response.status_code == 200 and response.text == "POST ['1', '2'] é"
assert Request.blank("/none").get_response(application).status == "404 Not Found"
response.set_cookie("k", "v", max_age=60)
assert "k=v" in response.headers["Set-Cookie"] and response.content_length == len(response.body)
