package release

import (
	"fmt"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/pattern"
)

// maxNameLength leaves room, within the 63 characters of a Kubernetes label,
// for what charts add to the release's name. It is Helm's limit.
const maxNameLength = 53

var validName = pattern.Lazy(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// ValidateName is a diag.Problem unless the name can be that of a release, by
// Helm's rules: a DNS-1123 name of at most 53 characters.
func ValidateName(name string) error {
	switch {
	case name == "":
		return diag.Problem{Summary: "the release has no name"}
	case len(name) > maxNameLength:
		return diag.Problem{Summary: fmt.Sprintf("the release name %q has %d characters: at most %d are allowed", name, len(name), maxNameLength)}
	case !validName().MatchString(name):
		return diag.Problem{
			Summary: fmt.Sprintf("the release name %q is not allowed", name),
			Detail:  "use lower-case letters, digits, '-' and '.', with a letter or digit at both ends and around each '.'",
		}
	}
	return nil
}
