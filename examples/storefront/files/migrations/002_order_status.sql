-- Orders get a status. The default lets version 1 of the shop go on placing orders while version 2 rolls out.
ALTER TABLE orders
    ADD COLUMN status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'paid', 'shipped'));

CREATE INDEX orders_by_status ON orders (status);
