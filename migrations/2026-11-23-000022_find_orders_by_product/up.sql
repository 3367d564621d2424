-- Orders with a given product, for lists and before anything is said about one. Concurrently, as the table is large.
CREATE INDEX CONCURRENTLY orders_product ON orders (shop_id, product_id, order_no);
