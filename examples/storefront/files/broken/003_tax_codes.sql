-- Used with migration.fail: a mistake that passes on an empty table and fails on one in use.
CREATE TABLE tax_codes (
    code text PRIMARY KEY
);

ALTER TABLE products
    ADD COLUMN tax_code text NOT NULL REFERENCES tax_codes;
