"""Keywords in XMP sidecars: what is there stays byte for byte, and the picture is never touched."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lookalike.core.errors import LookalikeError
from lookalike.images.values import tag_list
from lookalike.images.xmp import read_xmp
from lookalike.images.xmp_writing import plan_sidecar, with_tags, write_sidecar

NAMESPACES = (
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:digiKam="http://www.digikam.org/ns/1.0/"'
)


def packet(inside, attributes='xmp:Rating="4"'):
    return (
        f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        f" <rdf:RDF {NAMESPACES}>\n  <!-- of another program -->\n"
        f'  <rdf:Description rdf:about="" {attributes}>{inside}</rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n'
        '<?xpacket end="w"?>'
    ).encode()


BAG = "\n   <dc:subject>\n    <rdf:Bag>\n     <rdf:li>Сова</rdf:li>\n    </rdf:Bag>\n   </dc:subject>\n  "


@pytest.mark.parametrize(
    "before",
    [
        packet(BAG),
        packet(BAG.replace("\n", "").replace(" ", "").replace("dc:subject>", "dc:subject>", 1)),
        packet("<dc:subject><rdf:Seq><rdf:li>Сова</rdf:li></rdf:Seq></dc:subject>"),
        packet("<dc:subject><rdf:Bag/></dc:subject>"),
        packet("<dc:subject><rdf:Bag></rdf:Bag></dc:subject>"),
        packet("\n   <dc:title>x</dc:title>\n  "),
        packet(""),
        packet("").replace(b"></rdf:Description>", b"/>"),
        packet("").replace(b"></rdf:Description>", b" />"),
        packet(BAG).replace(b"rdf:", b"r:").replace(b"xmlns:rdf", b"xmlns:r"),
        b"\xef\xbb\xbf" + packet(BAG),
        packet(BAG) + b"\n" + b" " * 200,
    ],
)
def test_keywords_are_added_and_every_other_byte_stays(before):
    after = with_tags(before, ["cat & dog", "сова", "cat & dog"])
    said = read_xmp(before)
    expected = [*said.get("tags", []), "cat & dog"] + ([] if said.get("tags") else ["сова"])
    assert read_xmp(after) == {**said, "tags": expected}
    start = next(at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other)
    assert after.endswith(before[start:].lstrip(b" />")[-120:])
    assert b"<!-- of another program -->" in after


def test_a_packet_that_has_them_all_stays_as_it_is():
    assert with_tags(packet(BAG), ["СОВА"]) == packet(BAG)


@given(
    st.lists(st.text(max_size=30), max_size=6),
    st.sampled_from([packet(BAG), packet(""), packet("<dc:subject><rdf:Bag/></dc:subject>")]),
)
@settings(derandomize=True, deadline=None, max_examples=150)
def test_any_text_becomes_a_clean_keyword(tags, before):
    """Line breaks, signs of XML, halves of letters: what is read back is what a catalogue's text would become."""
    said = read_xmp(before).get("tags", [])
    known = {each.casefold() for each in said}
    expected = [*said, *(tag for tag in tag_list(tags) if tag.casefold() not in known)]
    assert read_xmp(with_tags(before, tags)).get("tags", []) == expected


def test_keywords_of_digikam_are_kept_where_there_is_no_subject_yet():
    """Programs, this one too, read dc:subject first: without them the old keywords would be hidden."""
    tags = "<digiKam:TagsList><rdf:Seq><rdf:li>Birds/Owl</rdf:li></rdf:Seq></digiKam:TagsList>"
    assert read_xmp(with_tags(packet(tags), ["night"]))["tags"] == ["Owl", "night"]


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"no xml",
        packet(BAG)[:-60],
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + packet(BAG),
        packet(BAG).decode().encode("utf-16"),
        b'<?xml version="1.0" encoding="cp1251"?>' + packet("<dc:title>x</dc:title>"),
        packet("<dc:subject>owl</dc:subject>"),
        packet("", 'dc:subject="owl"'),
        packet(BAG) + b"x" * (5 << 20),
        b"<rdf/>",
    ],
)
def test_what_cannot_be_extended_safely_is_refused(odd):
    with pytest.raises(LookalikeError, match="left as it is"):
        with_tags(odd, ["cat"])


@pytest.fixture
def photo(tmp_path):
    """A picture with a keyword inside it."""
    path = tmp_path / "IMG.JPG"
    Image.new("RGB", (20, 20), "red").save(
        path, xmp=packet("<dc:subject><rdf:Bag><rdf:li>in</rdf:li></rdf:Bag></dc:subject>")
    )
    return os.fsencode(path)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def test_a_new_sidecar_repeats_the_keywords_inside_the_picture_and_leaves_it_alone(photo):
    before = content(photo), os.stat(photo).st_mtime_ns
    change = plan_sidecar(photo, ["cat"])
    assert not os.path.exists(change.sidecar)
    assert change.before is None
    write_sidecar(change)
    assert read_xmp(content(photo + b".xmp"))["tags"] == ["in", "cat"]
    assert (content(photo), os.stat(photo).st_mtime_ns) == before
    assert plan_sidecar(photo, ["Cat", "in"]) is None


def test_the_sidecar_that_is_there_is_extended(photo):
    other = os.path.join(os.path.dirname(photo), b"IMG.xmp")
    with open(other, "wb") as file:
        file.write(packet(BAG))
    os.chmod(other, 0o640)
    change = plan_sidecar(photo, ["cat"], (b"IMG.JPG.json", b"IMG.xmp"))
    write_sidecar(change)
    assert read_xmp(content(other)) == {"rating": 4, "tags": ["Сова", "cat"]}
    if os.name == "posix":
        assert os.stat(other).st_mode & 0o777 == 0o640
    assert sorted(os.listdir(os.path.dirname(photo))) == [b"IMG.JPG", b"IMG.xmp"]


def test_a_sidecar_that_changed_since_it_was_planned_is_not_overwritten(photo):
    change = plan_sidecar(photo, ["cat"])
    with open(photo + b".xmp", "wb") as file:
        file.write(packet(BAG))
    with pytest.raises(LookalikeError, match="changed meanwhile"):
        write_sidecar(change)
    assert content(photo + b".xmp") == packet(BAG)


def test_a_refusal_names_the_file(photo):
    with open(photo + b".xmp", "wb") as file:
        file.write(b"junk")
    with pytest.raises(LookalikeError, match=r"IMG\.JPG\.xmp .*left as it is"):
        plan_sidecar(photo, ["cat"], (b"IMG.JPG.xmp",))


def test_a_broken_picture_gets_a_sidecar_all_the_same(tmp_path):
    path = os.fsencode(tmp_path / "broken.jpg")
    with open(path, "wb") as file:
        file.write(b"\xff\xd8\xff")
    assert read_xmp(plan_sidecar(path, ["cat"]).content)["tags"] == ["cat"]
