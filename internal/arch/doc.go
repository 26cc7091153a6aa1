// Package arch keeps the layers of Pintle: its one test holds every package of
// internal/ and cmd/ to the table in this package, which says who may import
// whom. It has no code that runs in the product, and nothing may import it.
//
// The rule:
//
//   - Code, and tests inside a package, import of this module only what the
//     package's row allows.
//   - Tests in a package of their own (package x_test) stand outside the layers,
//     as they stand where several of them meet: they may import anything but
//     internal/cli.
//   - Test support (kubefake, storetest) is imported by tests only.
//   - A package without a row, and a row without a package, is an error: the
//     table is the map of the module.
//
// A second table says which packages may use which libraries.
package arch
