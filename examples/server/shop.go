package main

import (
	"context"
	"errors"
)

// product is one article on sale.
type product struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	PriceCents int64  `json:"priceCents"`
}

// order is one purchase. Status is absent where the database's schema is older than version 2.
type order struct {
	ID       int64   `json:"id"`
	Product  string  `json:"product"`
	Quantity int64   `json:"quantity"`
	Status   *string `json:"status,omitempty"`
}

// purchase is what a customer asks for.
type purchase struct {
	ProductID int64 `json:"productId"`
	Quantity  int64 `json:"quantity"`
}

// errNoSuchProduct is what PlaceOrder returns for a product that is not on sale.
var errNoSuchProduct = errors.New("no such product")

// shop keeps what is sold. All methods may be called from several goroutines; their errors, errNoSuchProduct apart,
// mean that the database could not be asked.
type shop interface {
	// Ping says whether the database answers.
	Ping(ctx context.Context) error
	// SchemaVersion is the number of the newest migration in the database, 0 when there was none yet.
	SchemaVersion(ctx context.Context) (int, error)
	// Products are all products, by id.
	Products(ctx context.Context) ([]product, error)
	// Orders are the newest hundred orders, newest first.
	Orders(ctx context.Context) ([]order, error)
	// PlaceOrder stores a purchase and returns the order's id.
	PlaceOrder(ctx context.Context, wanted purchase) (int64, error)
}
