DROP TABLE stock_changes;
ALTER TABLE products DROP COLUMN low_stock, DROP COLUMN low_stock_told, DROP COLUMN low_stock_at;
