"""What recipes learn from: encoded once, split by groups of copies."""

from __future__ import annotations

import csv
import shutil

import numpy as np
import pytest

from lookalike.core.errors import EncoderBroken, SourceError
from lookalike.testing import ToyEncoder, draw_pictures
from lookalike.training.material import gather, shared
from lookalike.training.splits import TEST, TRAIN, VALIDATION


class CountingEncoder(ToyEncoder):
    """A toy that counts what it is asked."""

    def __init__(self, name: str = "toy", *, text: bool = True, stop_after: int = 10**9) -> None:
        super().__init__(name, text=text)
        self.pictures = self.texts = 0
        self.stop_after = stop_after

    def encode_images(self, pictures):
        if self.pictures >= self.stop_after:
            raise KeyboardInterrupt
        self.pictures += len(pictures)
        return super().encode_images(pictures)

    def encode_texts(self, texts):
        self.texts += len(texts)
        return super().encode_texts(texts)


@pytest.fixture
def shop(tmp_path):
    """48 products; the first picture lies there twice, and one product has two pictures."""
    paths = draw_pictures(tmp_path / "pics", 48)
    shutil.copyfile(paths[0], tmp_path / "pics" / "copy.jpg")
    with (tmp_path / "shop.csv").open("w", newline="", encoding="utf-8") as stream:
        write = csv.writer(stream)
        write.writerow(["id", "image", "title", "category"])
        for number, path in enumerate(paths):
            _, colour, shape = path.stem.split("-")
            product = 4 if number == 40 else number
            write.writerow([product, f"pics/{path.name}", f"{colour} {shape} {number}", colour])
        write.writerow([99, "pics/copy.jpg", "the copy", "red"])
        write.writerow([100, "pics/gone.jpg", "gone", "red"])
    return tmp_path / "shop.csv"


def test_vectors_are_those_of_the_encoder_and_stand_beside_their_texts_and_labels(shop, tmp_path):
    toy = ToyEncoder()
    made = gather(shop, toy, workers=1, work=tmp_path / "work", views=2)
    assert made.base_id == toy.id
    assert made.images.shape == (49, 2, 64)
    assert made.images.dtype == np.float16
    assert np.abs(made.texts - toy.encode_texts(made.sayings)).max() < 1e-3
    for row, uri in enumerate(made.uris):
        (said,) = [made.sayings[at] for at in np.flatnonzero(made.text_of == row)]
        assert said == "the copy" or uri.rpartition("/")[2].split("-")[1] == said.split()[0]
        assert made.label_names[made.labels[row]] == ("red" if said == "the copy" else said.split()[0])
    assert np.abs(np.linalg.norm(made.whole(), axis=1) - 1).max() < 1e-5
    assert [skipped.uri.rpartition("/")[2] for skipped in made.skipped] == ["gone.jpg"]


def test_copies_and_pictures_of_one_product_are_one_group(shop, tmp_path):
    made = gather(shop, ToyEncoder(), workers=1, work=tmp_path / "work", copy_cosine=2.0)
    row = {uri.rpartition("/")[2].split("-")[0]: at for at, uri in enumerate(made.uris)}
    assert made.groups[row["copy.jpg"]] == made.groups[row["0000"]]
    assert made.groups[row["0040"]] == made.groups[row["0004"]]
    assert len(set(made.groups.tolist())) == 47


def test_a_second_run_encodes_nothing_and_gives_the_same(shop, tmp_path):
    first = gather(shop, ToyEncoder(), workers=1, work=tmp_path / "work", views=3)
    toy = CountingEncoder()
    again = gather(shop, toy, workers=1, work=tmp_path / "work", views=3)
    assert (toy.pictures, toy.texts) == (0, 0)
    assert (again.images == first.images).all()
    assert (again.split == first.split).all()


def test_a_stopped_run_goes_on_where_it_was(shop, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        gather(shop, CountingEncoder(stop_after=1), workers=1, work=tmp_path / "work")
    toy = CountingEncoder()
    made = gather(shop, toy, workers=1, work=tmp_path / "work")
    assert 0 < toy.pictures < 49
    fresh = gather(shop, ToyEncoder(), workers=1, work=tmp_path / "other")
    assert (made.images == fresh.images).all()


def test_a_changed_picture_is_encoded_again(shop, tmp_path):
    gather(shop, ToyEncoder(), workers=1, work=tmp_path / "work")
    draw_pictures(tmp_path / "more", 49, seed=8)
    changed = min((tmp_path / "pics").glob("0005-*"))
    shutil.copyfile(min((tmp_path / "more").glob("0048-*")), changed)
    toy = CountingEncoder()
    gather(shop, toy, workers=1, work=tmp_path / "work")
    assert toy.pictures == 1


def test_another_encoder_takes_the_same_split(shop, tmp_path):
    one = gather(shop, ToyEncoder(), workers=1, work=tmp_path / "work")
    other = gather(shop, ToyEncoder("second"), workers=1, work=tmp_path / "work", like=one)
    assert (other.groups == one.groups).all()
    assert (other.split == one.split).all()
    assert not np.allclose(other.images, one.images)


def test_an_encoder_without_words_gives_material_without_texts(shop, tmp_path):
    made = gather(shop, ToyEncoder(text=False), workers=1, work=tmp_path / "work")
    assert made.texts.shape == (0, 64)
    assert made.sayings == ()


def test_a_folder_of_classes_is_split_by_class(tmp_path):
    draw_pictures(tmp_path / "set" / "a", 30)
    draw_pictures(tmp_path / "set" / "b", 20, seed=5)
    made = gather(tmp_path / "set", ToyEncoder(), workers=1, work=tmp_path / "work", copy_cosine=2.0)
    assert made.label_names == ("a", "b")
    assert [int((made.labels[made.pictures(part)] == 0).sum()) for part in (TRAIN, VALIDATION, TEST)] == [24, 3, 3]
    assert made.about()["test"] == 5


def test_blank_pictures_are_left_out_with_the_reason(tmp_path):
    from PIL import Image

    draw_pictures(tmp_path / "set" / "a", 6)
    Image.new("RGB", (60, 60), "white").save(tmp_path / "set" / "a" / "blank.png")
    made = gather(tmp_path / "set", ToyEncoder(), workers=1, work=tmp_path / "work")
    assert len(made.uris) == 6
    assert [(each.code, each.uri.rpartition("/")[2]) for each in made.skipped] == [("placeholder", "blank.png")]


def test_too_few_pictures_are_an_error(tmp_path):
    draw_pictures(tmp_path / "set" / "a", 2)
    with pytest.raises(SourceError, match="only 2 pictures"):
        gather(tmp_path / "set", ToyEncoder(), workers=1, work=tmp_path / "work")


def test_another_recipe_or_seed_has_only_its_other_looks_encoded(shop, tmp_path):
    """The whole picture is the same look whatever else is looked at."""
    one = gather(shop, ToyEncoder(), workers=1, work=tmp_path / "work")
    toy = CountingEncoder()
    two = gather(shop, toy, workers=1, work=tmp_path / "work", views=2)
    assert toy.pictures == 49
    again = gather(shop, toy, workers=1, work=tmp_path / "work", views=2, seed=1)
    assert toy.pictures == 98
    gather(shop, toy, workers=1, work=tmp_path / "work", seed=2)
    assert toy.pictures == 98
    assert (two.images[:, :1] == one.images).all()
    assert (again.images[:, 0] == two.images[:, 0]).all()
    assert (again.images[:, 1] != two.images[:, 1]).any()


class Overflowing(ToyEncoder):
    """Makes nothing of what is mostly red."""

    def encode_images(self, pictures):
        for pixels in pictures:
            red, green, blue = pixels.reshape(-1, 3).mean(0)
            if red > green + 30 and red > blue + 30:
                raise EncoderBroken("a vector is not finite")
        return super().encode_images(pictures)


def test_what_the_encoder_makes_no_vector_of_is_left_out_and_listed(shop, tmp_path):
    made = gather(shop, Overflowing(), workers=1, work=tmp_path / "work")
    lost = [each for each in made.skipped if each.code == "no-vector"]
    assert 0 < len(lost) < 49
    assert len(made.uris) + len(lost) == 49
    assert "toy makes no vector" in lost[0].reason


def test_what_a_second_encoder_lacks_is_left_out_of_both(shop, tmp_path):
    one = gather(shop, ToyEncoder(), workers=1, work=tmp_path / "work", views=2)
    other = gather(shop, Overflowing("second"), workers=1, work=tmp_path / "work", views=2, like=one)
    assert len(other.uris) < len(one.uris)
    first, second = shared((one, other))
    assert first.uris == second.uris == other.uris
    assert (first.split == second.split).all()
    assert (first.groups == second.groups).all()
    row = {uri: at for at, uri in enumerate(one.uris)}
    for at, text in enumerate(first.sayings):
        uri = first.uris[first.text_of[at]]
        assert text in [one.sayings[said] for said in np.flatnonzero(one.text_of == row[uri])]
    assert np.allclose(first.texts, ToyEncoder().encode_texts(first.sayings), atol=1e-3)
    assert len([each for each in first.skipped if each.code == "no-vector"]) == len(one.uris) - len(first.uris)
    assert len([each for each in second.skipped if each.code == "no-vector"]) == len(one.uris) - len(first.uris)
