"""Search: what is found, how much of a question it covers, and in which order."""

from potok.models.demo.retrieval import Index, Passage, Query


def index_of(*texts: str, knows_related: bool = False) -> Index:
    passages = [Passage(text=text, source="given") for text in texts]
    return Index(passages, knows_related=knows_related)


def found(index: Index, question: str) -> list[str]:
    return [hit.passage.text for hit in index.search(Query.of(question), hits_max=9)]


def test_the_passage_that_shares_most_comes_first() -> None:
    index = index_of("The shop is blue.", "The shop opens at nine.", "Nothing at all.")

    assert found(index, "When does the shop open?") == [
        "The shop opens at nine.",
        "The shop is blue.",
    ]


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    index = index_of("shop red", "shop blue", "shop green", "shop lighthouse")

    assert found(index, "shop lighthouse")[0] == "shop lighthouse"


def test_equal_passages_keep_their_order() -> None:
    index = index_of("first cat", "other cat", "third cat")

    assert found(index, "cat") == ["first cat", "other cat", "third cat"]


def test_coverage_is_the_share_of_the_question_that_matched() -> None:
    hits = index_of("a cat sleeps").search(Query.of("cat dog"), hits_max=1)

    assert hits[0].plain_coverage == 0.5
    assert 0 < hits[0].coverage < 0.5, "the word that is nowhere weighs more"


def test_a_title_and_keywords_find_a_passage() -> None:
    titled = Passage(text="Do this.", source="document", title="Cancel", keywords="abort")
    index = Index([Passage(text="To cancel is to stop.", source="document"), titled])

    assert found(index, "cancel")[0] == "Do this."
    assert found(index, "abort") == ["Do this."]


def test_a_misspelt_word_finds_its_neighbour() -> None:
    assert found(index_of("The lighthouse burns."), "lighthause") == ["The lighthouse burns."]


def test_a_short_word_finds_only_itself() -> None:
    assert found(index_of("a story of old"), "store") == []


def test_related_words_are_found_on_request() -> None:
    text = "Меня зовут Анна."

    assert found(index_of(text, knows_related=True), "name") == [text]
    assert found(index_of(text), "name") == []


def test_an_empty_index_finds_nothing() -> None:
    assert found(index_of(), "anything") == []
    assert found(index_of("", "the"), "the") == []


def test_a_query_leaves_words_out_unless_nothing_remains() -> None:
    assert Query.of("Potok cancel", without=["potok"]).terms == ("cancel",)
    assert Query.of("Potok", without=["potok"]).terms == ("potok",)


def test_a_query_names_each_term_once() -> None:
    assert Query.of("run, run, runs").terms == ("run",)
