package host

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestParseNetwork(t *testing.T) {
	network, err := ParseNetwork("10.211.0.0/16")
	if err != nil {
		t.Fatal(err)
	}
	got := []string{
		network.Pods().String(), network.Services().String(), network.Node().String(),
		network.FirstService().String(), network.DNSService().String(),
	}
	want := []string{"10.211.0.0/21", "10.211.16.0/20", "10.211.0.1", "10.211.16.1", "10.211.16.10"}
	if !slices.Equal(got, want) {
		t.Errorf("addresses are %v, want %v", got, want)
	}
	if !network.Pods().Contains(network.Node()) {
		t.Error("the node's address is not the gateway of the pods' range")
	}
	if network.Pods().Overlaps(network.Services()) {
		t.Error("pods and Services share addresses")
	}
	for _, wrong := range []string{"", "10.211.0.0", "10.211.0.0/24", "10.211.1.0/16", "fd00::/16"} {
		if _, err := ParseNetwork(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestFindLinks(t *testing.T) {
	out := `[
		{"ifname":"lo","addr_info":[{"local":"127.0.0.1"}]},
		{"ifname":"eth0","addr_info":[{"local":"10.211.0.1"}]},
		{"ifname":"veth1","addr_info":[{"local":"10.211.0.1"},{"local":"fe80::1"}]},
		{"ifname":"veth2","addr_info":[{"local":"172.17.0.1"}]},
		{"ifname":"pintle0","addr_info":[{"local":"fe80::2"},{"local":"10.211.0.1"}]}
	]`
	got, err := findLinks([]byte(out))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"veth1", Bridge}; !slices.Equal(got, want) {
		t.Errorf("links are %v, want %v: others' must stay, and the bridge goes last", got, want)
	}
}

func TestParseMounts(t *testing.T) {
	info := "36 35 98:0 / /mnt/plain rw - ext4 /dev/a rw\n37 35 98:0 / /mnt/with\\040blank rw shared:1 - ext4 /dev/a rw\n"
	got, err := parseMounts(strings.NewReader(info))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"/mnt/plain", "/mnt/with blank"}; !slices.Equal(got, want) {
		t.Errorf("mounts are %q, want %q", got, want)
	}
	if _, err := parseMounts(strings.NewReader("36 35\n")); err == nil {
		t.Error("a broken line passes")
	}
}

func TestRemoveTreeDeletesOnlyWhatIsNotMounted(t *testing.T) {
	// /proc is mounted everywhere that this runs.
	if err := RemoveTree("/proc"); err == nil || !strings.Contains(err.Error(), "mounted") {
		t.Errorf("deleting /proc: %v", err)
	}
}

func TestUsesLink(t *testing.T) {
	route := strings.Fields("10.211.0.5 dev veth1 scope host")
	if !usesLink(route, []string{"veth1"}) || usesLink(route, []string{"veth2", "dev"}) {
		t.Error("the route's link is not recognised")
	}
}

func TestRestoreSettingsIgnoresWhatItNeverTouched(t *testing.T) {
	if err := RestoreSettings(map[string]string{"kernel/hostname": "somebody-else", "../etc/passwd": "x"}); err != nil {
		t.Error(err)
	}
	if slices.Contains(touched, "kernel/hostname") {
		t.Error("the test's setting is one that is touched")
	}
}

func TestServicesHoldTheirOwnAddresses(t *testing.T) {
	network := Network{Prefix: netip.MustParsePrefix("172.20.0.0/16")}
	for _, address := range []netip.Addr{network.FirstService(), network.DNSService()} {
		if !network.Services().Contains(address) {
			t.Errorf("%s is not in %s", address, network.Services())
		}
	}
}
