package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Error codes of Postgres (its manual, appendix A).
const (
	undefinedTable      = "42P01"
	foreignKeyViolation = "23503"
)

// postgresShop is the shop in a Postgres database. It reads every schema from version 1 on: during an upgrade the
// database is migrated first, and the old and the new version of the service use it side by side.
type postgresShop struct {
	pool *pgxpool.Pool
}

// openPostgres prepares connections to the database that the connection string names; the PG* environment variables fill
// in what it leaves out. It does not connect yet: an error means that those settings are wrong.
func openPostgres(ctx context.Context, connection string) (*postgresShop, error) {
	pool, err := pgxpool.New(ctx, connection)
	if err != nil {
		return nil, fmt.Errorf("reading the database settings: %w", err)
	}
	return &postgresShop{pool: pool}, nil
}

// Close ends all connections.
func (s *postgresShop) Close() { s.pool.Close() }

// Ping implements shop.
func (s *postgresShop) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }

// SchemaVersion implements shop.
func (s *postgresShop) SchemaVersion(ctx context.Context) (int, error) {
	var newest int
	err := s.pool.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM _schema_version`).Scan(&newest)
	if hasCode(err, undefinedTable) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the schema version: %w", err)
	}
	return newest, nil
}

// Products implements shop.
func (s *postgresShop) Products(ctx context.Context) ([]product, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, name, price_cents FROM products ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("reading the products: %w", err)
	}
	products, err := pgx.CollectRows(rows, pgx.RowToStructByPos[product])
	if err != nil {
		return nil, fmt.Errorf("reading the products: %w", err)
	}
	return products, nil
}

// Orders implements shop.
func (s *postgresShop) Orders(ctx context.Context) ([]order, error) {
	newest, err := s.SchemaVersion(ctx)
	if err != nil {
		return nil, err
	}
	status := "o.status"
	if newest < 2 {
		status = "NULL::text"
	}
	rows, err := s.pool.Query(ctx, `
		SELECT o.id, p.name, o.quantity, `+status+`
		FROM orders o JOIN products p ON p.id = o.product_id
		ORDER BY o.id DESC LIMIT 100`)
	if err != nil {
		return nil, fmt.Errorf("reading the orders: %w", err)
	}
	orders, err := pgx.CollectRows(rows, pgx.RowToStructByPos[order])
	if err != nil {
		return nil, fmt.Errorf("reading the orders: %w", err)
	}
	return orders, nil
}

// PlaceOrder implements shop. It names no column newer than schema 1: those have defaults in the database.
func (s *postgresShop) PlaceOrder(ctx context.Context, wanted purchase) (int64, error) {
	var id int64
	err := s.pool.QueryRow(ctx, `INSERT INTO orders (product_id, quantity) VALUES ($1, $2) RETURNING id`,
		wanted.ProductID, wanted.Quantity).Scan(&id)
	if hasCode(err, foreignKeyViolation) {
		return 0, errNoSuchProduct
	}
	if err != nil {
		return 0, fmt.Errorf("placing the order: %w", err)
	}
	return id, nil
}

// hasCode says whether err came from Postgres with this error code.
func hasCode(err error, code string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == code
}
