package cluster

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/pintle-dev/pintle/sandbox/internal/image"
)

// MakeImages makes the images that are missing from store, or that are made from
// something else by now.
func MakeImages(ctx context.Context, programs Programs, store *image.Store, note func(string)) error {
	recipes := image.Catalogue(image.Programs{Kubectl: programs.Kubectl, Tools: programs.imageTools(), Dir: programs.Images})
	missing, err := store.Missing(recipes)
	if err != nil || len(missing) == 0 {
		return err
	}
	return store.Build(ctx, missing, func(recipe image.Recipe) {
		note("making " + strings.Join(recipe.References(), ", "))
	})
}

// Load puts the images of an archive into the sandbox and returns their names.
// They can be run at once, with any pull policy.
func Load(ctx context.Context, l Layout, archive string) ([]string, error) {
	if _, found, err := loadState(l); err != nil {
		return nil, err
	} else if !found {
		return nil, ErrNotUp
	}
	refs, err := image.NewStore(l.Images()).Load(archive)
	if err != nil {
		return nil, err
	}
	node, err := dialNode(l)
	if err != nil {
		return nil, err
	}
	defer node.close()
	for _, ref := range refs {
		name, _, _ := strings.Cut(ref, "/")
		if err := writeMirror(l, name); err != nil {
			return nil, err
		}
		if err := node.pull(ctx, ref); err != nil {
			return nil, err
		}
	}
	return refs, nil
}

// Refresh makes containerd fetch again those images that it has and whose content
// in the store has changed since, and returns their names. Without a healthy
// sandbox nothing holds old images, and there is nothing to do.
func Refresh(ctx context.Context, l Layout, store *image.Store) ([]string, error) {
	if report, err := Status(ctx, l); err != nil || report.Problem() != nil {
		return nil, nil
	}
	node, err := dialNode(l)
	if err != nil {
		return nil, err
	}
	defer node.close()
	held, err := node.list(ctx)
	if err != nil {
		return nil, err
	}
	var refreshed []string
	for ref, digests := range held {
		descriptor, ok, err := store.Find(ref)
		if err != nil {
			return nil, err
		}
		repository := ref[:strings.LastIndexByte(ref, ':')]
		if !ok || digests[repository+"@"+descriptor.Digest.String()] {
			continue
		}
		if err := node.pull(ctx, ref); err != nil {
			return nil, err
		}
		refreshed = append(refreshed, ref)
	}
	return refreshed, nil
}

// nodeImages are the images that the node has, as kubelet sees and fetches them.
type nodeImages struct {
	conn   *grpc.ClientConn
	client cri.ImageServiceClient
}

func dialNode(l Layout) (*nodeImages, error) {
	conn, err := grpc.NewClient("unix://"+l.run("containerd.sock"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("connecting to containerd: %w", err)
	}
	return &nodeImages{conn: conn, client: cri.NewImageServiceClient(conn)}, nil
}

func (n *nodeImages) close() { n.conn.Close() }

// pull fetches an image, in place of one that the node has by that name.
func (n *nodeImages) pull(ctx context.Context, ref string) error {
	_, err := n.client.PullImage(ctx, &cri.PullImageRequest{Image: &cri.ImageSpec{Image: ref}})
	if err != nil {
		return fmt.Errorf("fetching %s into containerd: %w", ref, err)
	}
	return nil
}

// list returns the names with tags of the node's images, each with the names with
// digests of the same image.
func (n *nodeImages) list(ctx context.Context) (map[string]map[string]bool, error) {
	response, err := n.client.ListImages(ctx, &cri.ListImagesRequest{})
	if err != nil {
		return nil, fmt.Errorf("listing containerd's images: %w", err)
	}
	held := map[string]map[string]bool{}
	for _, entry := range response.Images {
		digests := map[string]bool{}
		for _, digest := range entry.RepoDigests {
			digests[digest] = true
		}
		for _, tag := range entry.RepoTags {
			held[tag] = digests
		}
	}
	return held, nil
}
