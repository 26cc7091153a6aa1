package cli

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// mostAtStart is what the initialisation of one package may allocate, in
// bytes. Every command pays for it, `version` too.
const mostAtStart = 100_000

// mostOfOurs is the same for our own packages, which can put things off.
const mostOfOurs = 30_000

// dearAtStart are the packages that are known to cost more, and how much they
// may: libraries that we cannot do without.
var dearAtStart = map[string]int{
	// Only tests link it.
	"github.com/google/go-cmp/cmp": 300_000,
	// The grammar of references to OCI registries.
	"oras.land/oras-go/v2":          400_000,
	"oras.land/oras-go/v2/registry": 200_000,
	// The meta-schemas of JSON Schema, for Helm's check of values.
	"github.com/santhosh-tekuri/jsonschema/v6": 2_000_000,
	// The types of all API groups: Helm's packages import them.
	"k8s.io/client-go/kubernetes/scheme": 900_000,
	// Regular expressions.
	"github.com/Masterminds/semver/v3":           300_000,
	"k8s.io/api/core/v1":                         150_000,
	"sigs.k8s.io/structured-merge-diff/v6/typed": 150_000,
	"github.com/google/gnostic-models/openapiv2": 120_000,
	"github.com/google/gnostic-models/openapiv3": 120_000,
	"k8s.io/apimachinery/pkg/api/meta":           120_000,
}

// Start-up stays cheap: the Go runtime tells what each package allocates before
// main begins. Bytes are counted, since time depends on the machine.
func TestNothingDearHappensAtStart(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	line := regexp.MustCompile(`(?m)^init (\S+) .* (\d+) bytes, (\d+) allocs$`)
	found := line.FindAllSubmatch(out, -1)
	if len(found) < 50 {
		t.Fatalf("the runtime told of %d packages only:\n%s", len(found), out)
	}
	total := 0
	for _, m := range found {
		size, err := strconv.Atoi(string(m[2]))
		if err != nil {
			t.Fatal(err)
		}
		total += size
		most := max(mostAtStart, dearAtStart[string(m[1])])
		if strings.HasPrefix(string(m[1]), "github.com/pintle-dev/") {
			most = mostOfOurs
		}
		if size > most {
			t.Errorf("%s allocates %d bytes when the program starts; %d are allowed", m[1], size, most)
		}
	}
	t.Logf("%d packages allocate %d bytes", len(found), total)
}
