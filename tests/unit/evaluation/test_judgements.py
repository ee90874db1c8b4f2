"""Judgements: what people write into folders and CSV files, and what is told about what cannot be used."""

from __future__ import annotations

import os

import pytest

from lookalike.core.errors import SourceError
from lookalike.evaluation.judgements import read_captions, read_labels
from lookalike.testing import draw_pictures


@pytest.fixture
def photos(tmp_path):
    """Four pictures, renamed a.jpg, b.jpg, c.jpg, d.jpg, in a folder `photos`."""
    folder = tmp_path / "photos"
    for path, name in zip(draw_pictures(folder, 5), "abxcd", strict=True):
        path.rename(folder / f"{name}.jpg")
    (folder / "x.jpg").unlink()
    return folder


def said(judgements):
    """{file name: what was said}."""
    return {os.path.basename(each.asset.uri): each.sayings for each in judgements.pictures}


def reasons(judgements):
    return {os.path.basename(each.uri): each.reason for each in judgements.skipped}


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


# --- folders of classes ---------------------------------------------------------------------------


def test_the_class_is_the_folder_a_picture_lies_in_at_any_depth(tmp_path):
    (cat,) = draw_pictures(tmp_path / "train" / "cat", 1)
    (dog,) = draw_pictures(tmp_path / "dog", 1, seed=1)
    labels = read_labels(tmp_path)
    assert labels.kind == "labels"
    assert {each.asset.uri: each.sayings for each in labels.pictures} == {str(cat): ("cat",), str(dog): ("dog",)}


def test_a_picture_outside_class_folders_is_skipped_with_its_reason(tmp_path):
    draw_pictures(tmp_path / "dog", 1)
    (stray,) = draw_pictures(tmp_path, 1, seed=1)
    labels = read_labels(tmp_path)
    assert [(each.uri, each.reason) for each in labels.skipped] == [(str(stray), "lies in no class folder")]


def test_a_folder_without_classes_says_what_to_do(photos):
    with pytest.raises(SourceError, match="no pictures in class folders") as told:
        read_labels(photos)
    assert "named after the class" in told.value.hint


# --- CSV files ------------------------------------------------------------------------------------


def test_several_lines_give_a_picture_several_captions_each_once(photos):
    csv = write(photos / "captions.csv", "image,caption\na.jpg,one\nb.jpg,other\na.jpg,two\na.jpg,one\n")
    captions = read_captions(csv)
    assert captions.kind == "captions"
    assert said(captions) == {"a.jpg": ("one", "two"), "b.jpg": ("other",)}


def test_quotes_separators_and_newlines_inside_quotes(photos):
    csv = write(photos / "captions.csv", 'image,caption\r\na.jpg,"a dog, ""Rex"",\nin the snow"\r\nb.jpg,кот\r\n')
    assert said(read_captions(csv)) == {"a.jpg": ('a dog, "Rex",\nin the snow',), "b.jpg": ("кот",)}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_and_encodings_that_spreadsheets_write(photos, separator, encoding):
    lines = ["Image|Views|LABEL ", "a.jpg|1,5|кот", "b.jpg|2|dog"]
    text = "\n".join(lines)
    text = text.replace("1,5", '"1,5"') if separator == "," else text
    csv = write(photos / "labels.csv", text.replace("|", separator), encoding)
    assert said(read_labels(csv)) == {"a.jpg": ("кот",), "b.jpg": ("dog",)}


def test_paths_are_relative_to_the_csv_file_or_to_the_images_folder(photos, tmp_path):
    (tmp_path / "lists").mkdir()
    beside = write(photos / "labels.csv", "image,label\na.jpg,x\n")
    elsewhere = write(tmp_path / "lists" / "labels.csv", f"image,label\n../photos/b.jpg,x\n{photos / 'c.jpg'},y\n")
    bare = write(tmp_path / "lists" / "bare.csv", "image,label\nd.jpg,x\n")
    assert said(read_labels(beside)) == {"a.jpg": ("x",)}
    assert said(read_labels(elsewhere)) == {"b.jpg": ("x",), "c.jpg": ("y",)}
    assert said(read_labels(bare, images=photos)) == {"d.jpg": ("x",)}


def test_a_file_named_in_the_current_folder_works(photos, monkeypatch):
    write(photos / "labels.csv", "image,label\na.jpg,x\n")
    monkeypatch.chdir(photos)
    assert said(read_labels("labels.csv")) == {"a.jpg": ("x",)}


def test_a_tilde_is_the_home_folder(photos, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(photos.parent))
    write(photos.parent / "labels.csv", "image,label\na.jpg,x\n")
    assert said(read_labels("~/labels.csv", images="~/photos")) == {"a.jpg": ("x",)}


def test_what_cannot_be_used_is_listed_with_reasons(photos):
    (photos / "folder.jpg").mkdir()
    csv = write(
        photos / "captions.csv",
        "image,caption\na.jpg,fine\ngone.jpg,first\ngone.jpg,second\nb.jpg,\n,words\nfolder.jpg,x\nc.jpg\n\n",
    )
    captions = read_captions(csv)
    assert said(captions) == {"a.jpg": ("fine",)}
    assert reasons(captions) == {
        "captions.csv:5": "no caption in this line",
        "captions.csv:6": "no image in this line",
        "captions.csv:8": "no caption in this line",
        "gone.jpg": "there is no such file",
        "folder.jpg": "a folder, not a picture",
    }


def test_missing_columns_are_answered_with_the_columns_there_are(photos):
    csv = write(photos / "captions.csv", "ImageID;Labels;Caption\n1;2;3\n")
    with pytest.raises(SourceError, match="'imageid', 'labels', 'caption'; wanted 'image' and 'caption'"):
        read_captions(csv)


@pytest.mark.parametrize("content", [b"", b"image,label\n\xff\xfe.jpg,x\n", b'image,label\n"' + b"x" * 200_000])
def test_what_is_no_csv_file_is_a_clear_error(photos, content):
    (photos / "labels.csv").write_bytes(content)
    with pytest.raises(SourceError, match=r"labels\.csv"):
        read_labels(photos / "labels.csv")


def test_a_file_that_is_not_there_is_a_clear_error(tmp_path):
    with pytest.raises(SourceError, match=r"nowhere\.csv cannot be read"):
        read_captions(tmp_path / "nowhere.csv")


def test_no_picture_found_says_where_was_looked(photos, tmp_path):
    csv = write(tmp_path / "labels.csv", "image,label\na.jpg,x\n")
    with pytest.raises(SourceError, match="none of the 1 pictures") as told:
        read_labels(csv)
    assert str(tmp_path) in told.value.hint
    assert "--images" in told.value.hint
