DROP TABLE sheet_exports;
