"""Products that break one promise each, run through the audit: does the audit see it?

python -m tests.campaigns.broken_products --row POL-07 --out results.jsonl
"""

from tests.campaigns.broken_products import rows_documents, rows_rights, rows_storage, rows_unlisted
from tests.campaigns.broken_products.model import Product

PRODUCTS: dict[str, Product] = {
    product.id: product
    for product in sorted(
        (*rows_storage.PRODUCTS, *rows_rights.PRODUCTS, *rows_documents.PRODUCTS, *rows_unlisted.PRODUCTS),
        key=lambda product: product.id,
    )
}
"""By id."""
