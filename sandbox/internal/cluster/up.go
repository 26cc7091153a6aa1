package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/pintle-dev/pintle/sandbox/internal/host"
	"github.com/pintle-dev/pintle/sandbox/internal/image"
	"github.com/pintle-dev/pintle/sandbox/internal/process"
)

// readyTimeout limits how long one component may take to become ready. It is
// generous: a build beside it may take all of the processor.
const readyTimeout = 2 * time.Minute

// Options of a sandbox.
type Options struct {
	Layout   Layout
	Network  host.Network
	Programs Programs
	// Images is the store of the images that the sandbox makes.
	Images *image.Store
	// ImagesDir is that store's folder.
	ImagesDir string
	// APIServerArgs are added to the API server's arguments.
	APIServerArgs []string
	// Progress is told each step that was done and the time that it took.
	Progress func(step string, took time.Duration)
	// Note is told what is worth knowing besides.
	Note func(text string)
	// Now is the time.
	Now func() time.Time
}

// ErrAlreadyUp is what Up returns when there is nothing to do.
var ErrAlreadyUp = errors.New("the sandbox is already up")

// Up brings a sandbox up. It returns when the node takes pods, DNS answers and
// volumes are provisioned. A sandbox that is up and healthy is left alone: Up
// returns ErrAlreadyUp. What an earlier one left behind is cleared first; when Up
// fails, what it started is left for Down, and its logs for a person.
func Up(ctx context.Context, o Options) error {
	unlock, err := lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := checkDir(o.Layout); err != nil {
		return err
	}
	healthy, err := o.settled(ctx)
	if err != nil {
		return err
	}
	if healthy {
		return ErrAlreadyUp
	}
	u := &upping{Options: o}
	u.plan = plan{
		layout: o.Layout, network: o.Network, programs: o.Programs, images: o.ImagesDir,
		apiserverArgs: o.APIServerArgs, snapshotter: "overlayfs",
	}
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"leftovers cleared", u.clear},
		{"images made", u.makeImages},
		{"certificates and configuration written", u.prepare},
		{"network made", u.makeNetwork},
		{"etcd, containerd and the image registry started", u.startFirst},
		{"API server ready", u.awaitAPIServer},
		{"controllers, scheduler, kubelet, proxy and DNS started", u.startSecond},
		{"node ready", u.awaitNode},
		{"accounts, DNS and volumes ready", u.awaitServices},
	}
	for _, step := range steps {
		began := o.Now()
		if err := step.do(ctx); err != nil {
			return err
		}
		o.Progress(step.name, o.Now().Sub(began))
	}
	return nil
}

// lockTimeout is how long an Up or Down waits for another to end.
const lockTimeout = 5 * time.Minute

// lock lets one Up or Down work at a time; a second waits for the first. The name
// is known to the kernel only, and gone with its process.
func lock(ctx context.Context) (func(), error) {
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	var listener net.Listener
	err := poll(ctx, func(ctx context.Context) (err error) {
		listener, err = (&net.ListenConfig{}).Listen(ctx, "unix", "@pintle-sandbox")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("waiting for another pintle-sandbox that is bringing a sandbox up or down: %w", err)
	}
	return func() { listener.Close() }, nil
}

// settleTime is how long a sandbox whose processes all run may seem ill, on a busy
// machine, before it counts as such.
const settleTime = 20 * time.Second

// settled says whether the sandbox is up and healthy.
func (o Options) settled(ctx context.Context) (bool, error) {
	remembered, found, err := loadState(o.Layout)
	if err != nil || !found {
		return false, err
	}
	for _, component := range remembered.Components {
		if !component.Alive() {
			o.Note(component.Name + " of an earlier sandbox does not run any more: starting over")
			return false, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	err = poll(ctx, func(ctx context.Context) error {
		report, err := Status(ctx, o.Layout)
		if err != nil {
			return err
		}
		return report.Problem()
	})
	if err != nil {
		o.Note(fmt.Sprintf("an earlier sandbox is not healthy: starting over (%v)", err))
	}
	return err == nil, nil
}

// upping is a sandbox that is being brought up.
type upping struct {
	Options
	plan    plan
	state   state
	running map[string]*process.Running
	config  *rest.Config
	client  *kubernetes.Clientset
}

// clear removes what this sandbox left behind, and what one in another folder did
// if none of its processes runs any more.
func (u *upping) clear(ctx context.Context) error {
	owner, err := host.NetworkOwner()
	if err != nil {
		return err
	}
	if owner != "" && owner != u.Layout.Dir {
		other := Layout{Dir: owner}
		running, err := process.Marked(owner)
		if err != nil {
			return err
		}
		if len(running) > 0 {
			return fmt.Errorf("a sandbox is up in %s, and a machine has room for one: end it with `pintle-sandbox down --dir %s`", owner, owner)
		}
		if err := sweep(ctx, other); err != nil {
			return fmt.Errorf("clearing what the sandbox in %s left behind: %w", owner, err)
		}
	}
	if err := sweep(ctx, u.Layout); err != nil {
		return fmt.Errorf("clearing leftovers: %w", err)
	}
	return nil
}

func (u *upping) makeImages(ctx context.Context) error {
	return MakeImages(ctx, u.Programs, u.Images, u.Note)
}

func (u *upping) prepare(context.Context) error {
	settings, err := host.ReadSettings()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(u.Layout.Dir, 0o755); err != nil {
		return fmt.Errorf("making the state folder: %w", err)
	}
	if err := os.WriteFile(u.Layout.in(marker), []byte("`pintle-sandbox down` deletes it.\n"), 0o644); err != nil {
		return fmt.Errorf("making the state folder: %w", err)
	}
	if err := u.Layout.make(); err != nil {
		return err
	}
	u.state = state{Version: stateVersion, Created: u.Now(), Network: u.Network.Prefix.String(), Settings: settings}
	if err := u.state.save(u.Layout); err != nil {
		return err
	}
	if !host.OverlayWorks(u.Layout.data(".")) {
		u.plan.snapshotter = "native"
		u.Note("overlay mounts do not work in " + u.Layout.Dir + ": containers' file systems are copied, which is slower")
	}
	if err := u.plan.writeCertificates(u.Now()); err != nil {
		return err
	}
	return u.plan.writeConfig()
}

func (u *upping) makeNetwork(ctx context.Context) error {
	if err := host.MakeCgroups(); err != nil {
		return err
	}
	if err := host.MakeNetwork(ctx, u.Network, u.Layout.Dir); err != nil {
		return err
	}
	if err := host.EnableForwarding(); err != nil {
		return err
	}
	return u.checkPorts(ctx)
}

// checkPorts says which address is taken: a component would only say so in its log.
func (u *upping) checkPorts(ctx context.Context) error {
	node := u.Network.Node().String()
	addresses := []string{fmt.Sprintf("%s:%d", node, apiserverPort), fmt.Sprintf("%s:%d", node, kubeletPort), node + ":53"}
	for _, port := range []int{
		etcdPort, etcdPeerPort, registryPort, controllerManagerPort, schedulerPort, proxyHealthPort, proxyMetricsPort,
		dnsReadyPort, provisionerPort, kubeletHealthPort,
	} {
		addresses = append(addresses, fmt.Sprintf("%s:%d", loopback, port))
	}
	var taken []string
	for _, address := range addresses {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			taken = append(taken, address)
			continue
		}
		listener.Close()
	}
	if len(taken) > 0 {
		return fmt.Errorf("other programs listen on %s, probably on all addresses of the machine: end them", strings.Join(taken, ", "))
	}
	return nil
}

func (u *upping) startFirst(ctx context.Context) error {
	if err := u.start(u.plan.first()...); err != nil {
		return err
	}
	return u.awaitComponents(ctx, etcd, containerd, registry)
}

func (u *upping) awaitAPIServer(ctx context.Context) error {
	if err := u.awaitComponents(ctx, apiserver); err != nil {
		return err
	}
	var err error
	u.config, u.client, err = newClient(u.Layout)
	return err
}

func (u *upping) startSecond(ctx context.Context) error {
	if err := u.start(u.plan.second()...); err != nil {
		return err
	}
	return u.plan.applyBase(ctx, u.config)
}

func (u *upping) awaitNode(ctx context.Context) error {
	return u.await(ctx, "the node", nodeReady(u.client))
}

func (u *upping) awaitServices(ctx context.Context) error {
	if err := u.awaitComponents(ctx, controllerManager, scheduler, kubelet, proxy, dns, provisioner); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return u.await(ctx, "the default ServiceAccount", accountsReady(u.client)) })
	group.Go(func() error { return u.await(ctx, "DNS", dnsAnswers(u.Network.Node().String())) })
	return group.Wait()
}
