-- Lists and exports of a period read its days, not all orders. Concurrently: the table is large where this matters.
CREATE INDEX CONCURRENTLY orders_day ON orders (shop_id, sale_date, order_no) WHERE line_no = 1;
