package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
)

const (
	// Bridge is the interface that holds the node's address. Pods hang on
	// point-to-point links of their own; nothing is ever attached to it.
	Bridge = "pintle0"
	// Table is the nftables table with the sandbox's own rules.
	Table = "pintle-sandbox"
)

// proxyTables are made by kube-proxy, under names that it does not let us choose.
var proxyTables = []string{"ip kube-proxy", "ip6 kube-proxy"}

// Network is the part of the private address space that the sandbox uses.
type Network struct {
	// Prefix is a /16 that nothing else on the machine uses.
	Prefix netip.Prefix
}

// ParseNetwork reads a /16 such as 10.211.0.0/16.
func ParseNetwork(text string) (Network, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil || !prefix.Addr().Is4() || prefix.Bits() != 16 || prefix.Masked() != prefix {
		return Network{}, fmt.Errorf("network %q is not an IPv4 /16 such as 10.211.0.0/16", text)
	}
	return Network{Prefix: prefix}, nil
}

// Pods is the range of pod addresses; its first address is the node's.
func (n Network) Pods() netip.Prefix { return netip.PrefixFrom(n.Prefix.Addr(), 21) }

// Services is the range of Service addresses.
func (n Network) Services() netip.Prefix { return netip.PrefixFrom(n.at(16, 0), 20) }

// Node is the address of the node, the API server and the DNS server.
func (n Network) Node() netip.Addr { return n.at(0, 1) }

// FirstService is the address of the Service named kubernetes.
func (n Network) FirstService() netip.Addr { return n.at(16, 1) }

// DNSService is the address of the Service named kube-dns.
func (n Network) DNSService() netip.Addr { return n.at(16, 10) }

func (n Network) at(third, fourth byte) netip.Addr {
	octets := n.Prefix.Addr().As4()
	octets[2], octets[3] = third, fourth
	return netip.AddrFrom4(octets)
}

// MakeNetwork makes the bridge with the node's address, and the rule that lets
// pods reach the world under the machine's address. owner is noted on the bridge.
func MakeNetwork(ctx context.Context, n Network, owner string) error {
	steps := [][]string{
		{"link", "add", Bridge, "type", "bridge"},
		{"link", "set", Bridge, "alias", owner},
		{"addr", "add", n.Node().String() + "/32", "dev", Bridge},
		{"link", "set", Bridge, "up"},
	}
	for _, args := range steps {
		if _, err := run(ctx, "", "ip", args...); err != nil {
			return fmt.Errorf("making the bridge: %w", err)
		}
	}
	rules := fmt.Sprintf(`table ip %s {
	chain postrouting {
		type nat hook postrouting priority srcnat;
		ip saddr %s ip daddr != %s masquerade
	}
}
`, Table, n.Pods(), n.Prefix)
	if _, err := run(ctx, rules, "nft", "-f", "-"); err != nil {
		return fmt.Errorf("making nftables rules: %w", err)
	}
	return nil
}

// NetworkOwner returns the state folder of the sandbox that made this machine's
// bridge, or "" when there is no bridge.
func NetworkOwner() (string, error) {
	alias, err := os.ReadFile("/sys/class/net/" + Bridge + "/ifalias")
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading who owns %s: %w", Bridge, err)
	}
	return strings.TrimSpace(string(alias)), nil
}

// RemoveNetwork removes the tables of the sandbox and of its kube-proxy, the links
// of pods and, last, the bridge: while it is there, the rest is known to be ours.
func RemoveNetwork(ctx context.Context) error {
	tables, err := listTables(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, table := range append([]string{"ip " + Table}, proxyTables...) {
		if !hasLine(tables, "table "+table) {
			continue
		}
		if _, err := run(ctx, "", "nft", append([]string{"delete", "table"}, strings.Fields(table)...)...); err != nil {
			problems = append(problems, err)
		}
	}
	links, err := sandboxLinks(ctx)
	if err != nil {
		return errors.Join(append(problems, err)...)
	}
	for _, link := range links {
		_, err := run(ctx, "", "ip", "link", "del", link)
		// A pod's link goes by itself, a little after its namespace.
		if err != nil && linkExists(link) {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// listTables returns what `nft list tables` prints: nothing on a machine that has
// no nft, where nobody can have made a table.
func listTables(ctx context.Context) (string, error) {
	if !installed("nft") {
		return "", nil
	}
	return run(ctx, "", "nft", "list", "tables")
}

// foreignProxy says whether a kube-proxy works on this machine that is not the
// sandbox's.
func foreignProxy(ctx context.Context) bool {
	tables, err := listTables(ctx)
	if err != nil || linkExists(Bridge) {
		return false
	}
	for _, table := range proxyTables {
		if hasLine(tables, "table "+table) {
			return true
		}
	}
	return false
}

func hasLine(text, line string) bool {
	for candidate := range strings.Lines(text) {
		if strings.TrimSpace(candidate) == line {
			return true
		}
	}
	return false
}

func linkExists(name string) bool {
	_, err := os.Stat("/sys/class/net/" + name)
	return err == nil
}

// sandboxLinks lists the bridge and the machine's ends of the pods' links. The
// latter are the virtual ethernet links that carry the bridge's address too.
func sandboxLinks(ctx context.Context) ([]string, error) {
	if !linkExists(Bridge) {
		return nil, nil
	}
	out, err := run(ctx, "", "ip", "-json", "addr", "show")
	if err != nil {
		return nil, err
	}
	return findLinks([]byte(out))
}

// findLinks picks the sandbox's links from the output of `ip -json addr show`.
func findLinks(out []byte) ([]string, error) {
	var links []struct {
		Name      string `json:"ifname"`
		Addresses []struct {
			Local string `json:"local"`
		} `json:"addr_info"`
	}
	if err := json.Unmarshal(out, &links); err != nil {
		return nil, fmt.Errorf("reading the list of addresses: %w", err)
	}
	node := ""
	for _, link := range links {
		if link.Name == Bridge {
			for _, address := range link.Addresses {
				if strings.Count(address.Local, ".") == 3 {
					node = address.Local
				}
			}
		}
	}
	var names []string
	for _, link := range links {
		if link.Name == Bridge {
			continue
		}
		for _, address := range link.Addresses {
			if node != "" && address.Local == node && strings.HasPrefix(link.Name, "veth") {
				names = append(names, link.Name)
			}
		}
	}
	// The bridge goes last: it is how the others are recognised.
	return append(names, Bridge), nil
}
