-- Used with seed.fail: the temporary user may read and add, but not this.
\echo seeding as :USER
ALTER TABLE orders ADD COLUMN seeded boolean;
