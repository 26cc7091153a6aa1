// Package provision is the controller behind the sandbox's default StorageClass:
// for every claim it makes a folder on this machine, and deletes the folder with
// the volume. The folders' sizes are not limited.
package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// Name is what the StorageClass calls this provisioner.
const Name = "pintle.dev/sandbox-folder"

// folders makes volumes as folders below dir.
type folders struct {
	dir, node string
}

// Provision makes the folder of a claim, named after it so that a person finds it.
func (f folders) Provision(_ context.Context, options controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	claim := options.PVC
	folder := filepath.Join(f.dir, claim.Namespace+"_"+claim.Name+"_"+options.PVName)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("making the volume's folder: %w", err)
	}
	// Whatever user a container runs as may write; mkdir obeys the umask.
	if err := os.Chmod(folder, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("opening the volume's folder: %w", err)
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			// Local volumes, unlike hostPath ones, get the group that a pod asks for.
			PersistentVolumeSource: corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: folder}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{f.node},
				}},
			}}}},
		},
	}, controller.ProvisioningFinished, nil
}

// Delete deletes the folder of a volume, if it is one of ours.
func (f folders) Delete(_ context.Context, volume *corev1.PersistentVolume) error {
	if volume.Spec.Local == nil || filepath.Dir(volume.Spec.Local.Path) != f.dir {
		return &controller.IgnoredError{Reason: "the volume is not in " + f.dir}
	}
	if err := os.RemoveAll(volume.Spec.Local.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting the volume's folder: %w", err)
	}
	return nil
}

// Options of Run.
type Options struct {
	// Dir is where the volumes' folders are made.
	Dir string
	// Node is the name of the only node.
	Node string
	// Health is the address on which /healthz answers once claims are watched.
	Health string
}

// Run provisions until ctx ends.
func Run(ctx context.Context, config *rest.Config, options Options) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	if err := os.MkdirAll(options.Dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of volumes: %w", err)
	}
	provisioner := controller.NewProvisionController(ctx, client, Name,
		folders{dir: options.Dir, node: options.Node}, controller.LeaderElection(false))
	health := &http.Server{Addr: options.Health, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !provisioner.HasRun() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})}
	failed := make(chan error, 1)
	go func() { failed <- health.ListenAndServe() }()
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		provisioner.Run(running)
		close(ended)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serving health: %w", err)
	case <-ended:
		return health.Close()
	}
}
