DROP FUNCTION system.enqueue_for_every_shop(text, text);
DROP TABLE order_counts;
DROP TABLE product_sales;
