"""Every bound and fixed number of this app, with its unit and reason."""

from datetime import date

__all__ = [
    "AGENTS_MAX",
    "CUSTOMERS",
    "DATA_AS_OF",
    "HISTORY_CHARACTERS_MAX",
    "HISTORY_TURNS_MAX",
    "LOW_BUDGET_RUB",
    "MESSAGE_CHARACTERS_MAX",
    "MONTHS",
    "ORDERS",
    "PREMIUM_BUDGET_RUB",
    "PRICE_RUB_MAX",
    "PRODUCTS_MAX",
    "PROSE_CHARACTERS_MAX",
    "ROWS_AT_ONCE",
    "SEED",
    "SEED_VERSION",
    "TASTE_TRIES_MAX",
    "TEXTS_KEPT_MAX",
]

DATA_AS_OF = date(2026, 10, 31)  # the last day of the data; ages of notes and orders count from it
SEED = 20_261_031  # of the made customers and orders; another seed is another version
SEED_VERSION = 1  # raise it with any change of the data files or of how orders are made
CUSTOMERS = 800  # enough that each segment has tens of people
ORDERS = 4_200  # about five a customer
MONTHS = 24  # two whole years: the first is the season that the second is measured by

MESSAGE_CHARACTERS_MAX = 2_000  # what rules read of one message: about 20 ms of one core
HISTORY_TURNS_MAX = 10  # earlier turns that a wish may refer to
HISTORY_CHARACTERS_MAX = 500  # of each of them; wishes stand in the first lines
PROSE_CHARACTERS_MAX = 20_000  # of an answer whose numbers are checked; far more than one has
TEXTS_KEPT_MAX = 256  # messages whose words are remembered: routing and wishes read the same ones
PRODUCTS_MAX = 20  # pieces in one answer; nobody looks through more
PRICE_RUB_MAX = 100_000_000  # a larger number in a message is no budget, but a telephone
AGENTS_MAX = 3  # agents that answer one message; more would be a crowd
ROWS_AT_ONCE = 500  # rows that are taken over before the event loop has its turn: about 2 ms
TASTE_TRIES_MAX = 8  # attempts to store an answer while others store theirs

LOW_BUDGET_RUB = 30_000  # what "inexpensive" means where no number is given
PREMIUM_BUDGET_RUB = 150_000  # where "premium" begins
