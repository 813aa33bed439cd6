"""Tags are written to a file and read again."""

import io

from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, TIT2, Encoding

file = io.BytesIO()
tags = ID3()
tags.add(TIT2(encoding=Encoding.UTF8, text=["a title"]))
tags.save(file)
file.seek(0)
assert ID3(file)["TIT2"].text == ["a title"]

file = io.BytesIO()
ape = APEv2()
ape["artist"] = ["one", "two"]
ape.save(file)
file.seek(0)
assert list(APEv2(file)["Artist"]) == ["one", "two"]
