package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scratchShop returns a shop in an empty schema of its own, in the database that STOREFRONT_TEST_DATABASE names with a
// connection string. Without one the test is skipped.
func scratchShop(t *testing.T) *postgresShop {
	t.Helper()
	connection := os.Getenv("STOREFRONT_TEST_DATABASE")
	if connection == "" {
		t.Skip("STOREFRONT_TEST_DATABASE names no database")
	}
	shop, err := openPostgres(t.Context(), connection+" search_path=storefront_test pool_max_conns=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shop.Close)
	execute(t, shop, "DROP SCHEMA IF EXISTS storefront_test CASCADE; CREATE SCHEMA storefront_test")
	return shop
}

func execute(t *testing.T, shop *postgresShop, sql string) {
	t.Helper()
	if _, err := shop.pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// The shop works on every schema that the chart's migrations make, from the first on.
func TestEverySchemaOfTheChart(t *testing.T) {
	shop := scratchShop(t)
	migrations, err := filepath.Glob("../storefront/files/migrations/*.sql")
	if err != nil || len(migrations) == 0 {
		t.Fatalf("found no migrations: %v", err)
	}
	wantVersion := func(want int) {
		t.Helper()
		if got, err := shop.SchemaVersion(t.Context()); err != nil || got != want {
			t.Errorf("schema version is %d, %v; want %d", got, err, want)
		}
	}
	wantVersion(0)
	execute(t, shop, "CREATE TABLE _schema_version (version integer PRIMARY KEY)")
	wantVersion(0)
	for i, migration := range migrations {
		sql, err := os.ReadFile(migration)
		if err != nil {
			t.Fatal(err)
		}
		execute(t, shop, string(sql))
		if _, err := shop.pool.Exec(t.Context(), "INSERT INTO _schema_version VALUES ($1)", i+1); err != nil {
			t.Fatal(err)
		}
		wantVersion(i + 1)
		checkShop(t, shop, i+1)
	}
}

// checkShop places an order and finds it again, on a shop that has had one order for each schema before this one.
func checkShop(t *testing.T, shop *postgresShop, schema int) {
	t.Helper()
	products, err := shop.Products(t.Context())
	if err != nil || len(products) == 0 {
		t.Fatalf("schema %d: products are %v, %v", schema, products, err)
	}
	id, err := shop.PlaceOrder(t.Context(), purchase{ProductID: products[0].ID, Quantity: 3})
	if err != nil || id != int64(schema) {
		t.Fatalf("schema %d: placed order %d, %v; want %d", schema, id, err, schema)
	}
	orders, err := shop.Orders(t.Context())
	if err != nil || len(orders) != schema {
		t.Fatalf("schema %d: orders are %v, %v; want %d", schema, orders, err, schema)
	}
	want := order{ID: id, Product: products[0].Name, Quantity: 3}
	if schema >= 2 {
		status := "new"
		want.Status = &status
	}
	if difference := cmp.Diff(want, orders[0]); difference != "" {
		t.Errorf("schema %d: the newest order (-want +got):\n%s", schema, difference)
	}
	if _, err := shop.PlaceOrder(t.Context(), purchase{ProductID: -1, Quantity: 1}); !errors.Is(err, errNoSuchProduct) {
		t.Errorf("schema %d: an order of nothing gives %v", schema, err)
	}
	// The refused order used up a number.
	execute(t, shop, `SELECT setval(pg_get_serial_sequence('orders', 'id'), (SELECT max(id) FROM orders))`)
}
