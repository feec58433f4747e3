"""The app's tables, as SQLAlchemy sees them; `migrations` makes them.

What belongs to people is keyed by (principal, user_id): a user's id alone opens nothing, and the
same id under another principal is another person. Dates are ISO 8601 text, which sorts as it reads.
"""

from sqlalchemy import Column, Double, Integer, MetaData, Table, Text

__all__ = [
    "customers",
    "metadata",
    "order_items",
    "orders",
    "product_stones",
    "product_tags",
    "products",
    "profile_facts",
    "seeds",
    "taste_answers",
    "taste_states",
    "trend_notes",
    "trend_tags",
]

metadata = MetaData()

products = Table(
    "jewelry_products",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("metal", Text, nullable=False),
    Column("fineness", Integer, nullable=False),
    Column("metal_color", Text, nullable=False),
    Column("weight_g", Double, nullable=False),
    Column("price_rub", Integer, nullable=False),
    Column("old_price_rub", Integer),
    Column("collection", Text, nullable=False),
    Column("stock", Integer, nullable=False),
    Column("rating", Double, nullable=False),
    Column("created", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("description_en", Text, nullable=False),
    Column("care", Text, nullable=False),
    Column("note", Text),
)

product_stones = Table(
    "jewelry_product_stones",
    metadata,
    Column("product_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("type", Text, nullable=False),
    Column("carat", Double),
    Column("color", Text, nullable=False),
    Column("cut", Text, nullable=False),
)

# Lists of a piece: its kinds are `style`, `occasion`, `for_whom`, `zodiac` and `size`.
product_tags = Table(
    "jewelry_product_tags",
    metadata,
    Column("product_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("place", Integer, nullable=False),
)

customers = Table(
    "jewelry_customers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("first_name", Text, nullable=False),
    Column("joined_on", Text, nullable=False),
)

orders = Table(
    "jewelry_orders",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("customer_id", Text, nullable=False),
    Column("ordered_on", Text, nullable=False),
    Column("total_rub", Integer, nullable=False),
)

order_items = Table(
    "jewelry_order_items",
    metadata,
    Column("order_id", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("product_id", Text, nullable=False),
    Column("price_rub", Integer, nullable=False),
)

trend_notes = Table(
    "jewelry_trend_notes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("published_on", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("body", Text, nullable=False),
)

trend_tags = Table(
    "jewelry_trend_tags",
    metadata,
    Column("note_id", Text, primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("weight", Double, nullable=False),
)

# Which version of the data this database holds.
seeds = Table(
    "jewelry_seeds",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, nullable=False),
)

# `state` is JSON; `version` rises with each change, so that two writers cannot both succeed.
taste_states = Table(
    "jewelry_taste_states",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("updated_at", Double, nullable=False),
)

# Messages that were taken, each with the step it led to: JSON.
taste_answers = Table(
    "jewelry_taste_answers",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("step", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)

# What is known of a user beside the questionnaire, such as the day of birth; `value` is JSON.
profile_facts = Table(
    "jewelry_profile_facts",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", Double, nullable=False),
)
