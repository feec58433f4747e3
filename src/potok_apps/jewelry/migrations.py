"""The steps that make the app's tables. A step is never edited; the next one is added."""

from potok.apps.contract import Migration

__all__ = ["MIGRATIONS"]

_PERSON = "principal TEXT NOT NULL, user_id TEXT NOT NULL"

MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        number=1,
        statements=(
            """CREATE TABLE jewelry_products (
                id TEXT PRIMARY KEY, name TEXT NOT NULL, name_en TEXT NOT NULL,
                category TEXT NOT NULL, metal TEXT NOT NULL, fineness INTEGER NOT NULL,
                metal_color TEXT NOT NULL, weight_g DOUBLE PRECISION NOT NULL,
                price_rub INTEGER NOT NULL, old_price_rub INTEGER, collection TEXT NOT NULL,
                stock INTEGER NOT NULL, rating DOUBLE PRECISION NOT NULL, created TEXT NOT NULL,
                description TEXT NOT NULL, description_en TEXT NOT NULL, care TEXT NOT NULL,
                note TEXT)""",
            "CREATE INDEX jewelry_products_by_kind ON jewelry_products (category, price_rub)",
            """CREATE TABLE jewelry_product_stones (
                product_id TEXT NOT NULL, place INTEGER NOT NULL, type TEXT NOT NULL,
                carat DOUBLE PRECISION, color TEXT NOT NULL, cut TEXT NOT NULL,
                PRIMARY KEY (product_id, place))""",
            """CREATE TABLE jewelry_product_tags (
                product_id TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
                place INTEGER NOT NULL, PRIMARY KEY (product_id, kind, value))""",
            """CREATE TABLE jewelry_customers (
                id TEXT PRIMARY KEY, first_name TEXT NOT NULL, joined_on TEXT NOT NULL)""",
            """CREATE TABLE jewelry_orders (
                id INTEGER PRIMARY KEY, customer_id TEXT NOT NULL, ordered_on TEXT NOT NULL,
                total_rub INTEGER NOT NULL)""",
            "CREATE INDEX jewelry_orders_of_customer ON jewelry_orders (customer_id, ordered_on)",
            """CREATE TABLE jewelry_order_items (
                order_id INTEGER NOT NULL, place INTEGER NOT NULL, product_id TEXT NOT NULL,
                price_rub INTEGER NOT NULL, PRIMARY KEY (order_id, place))""",
            """CREATE TABLE jewelry_trend_notes (
                id TEXT PRIMARY KEY, published_on TEXT NOT NULL, title TEXT NOT NULL,
                title_en TEXT NOT NULL, body TEXT NOT NULL)""",
            """CREATE TABLE jewelry_trend_tags (
                note_id TEXT NOT NULL, tag TEXT NOT NULL, weight DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (note_id, tag))""",
            """CREATE TABLE jewelry_seeds (
                name TEXT PRIMARY KEY, version INTEGER NOT NULL)""",
            f"""CREATE TABLE jewelry_taste_states (
                {_PERSON}, version INTEGER NOT NULL, state TEXT NOT NULL,
                updated_at DOUBLE PRECISION NOT NULL, PRIMARY KEY (principal, user_id))""",
            f"""CREATE TABLE jewelry_taste_answers (
                {_PERSON}, message_id TEXT NOT NULL, step TEXT NOT NULL,
                created_at DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (principal, user_id, message_id))""",
            f"""CREATE TABLE jewelry_profile_facts (
                {_PERSON}, name TEXT NOT NULL, value TEXT NOT NULL,
                updated_at DOUBLE PRECISION NOT NULL, PRIMARY KEY (principal, user_id, name))""",
        ),
    ),
)
