-- Puts two orders into a shop that has none, as the temporary user. Safe to run again.
\echo seeding as :USER
INSERT INTO orders (product_id, quantity)
SELECT sample.product_id, sample.quantity
FROM (VALUES (1, 2), (3, 1)) AS sample (product_id, quantity)
WHERE NOT EXISTS (SELECT FROM orders);

SELECT count(*) AS orders FROM orders \gset
\echo orders in the shop: :orders
