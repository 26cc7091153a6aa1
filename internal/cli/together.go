package cli

import "errors"

// several are errors that have nothing to do with each other but the run in
// which they came: each is explained on its own.
type several []error

// together makes one error of several; nil ones are left out.
func together(errs ...error) error {
	var list several
	for _, err := range errs {
		if err != nil {
			list = append(list, err)
		}
	}
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return list
}

// Error has a line for each.
func (s several) Error() string { return errors.Join(s...).Error() }

// Unwrap gives all of them.
func (s several) Unwrap() []error { return s }
