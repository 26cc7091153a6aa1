package provision

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func TestProvisionAndDelete(t *testing.T) {
	f := folders{dir: t.TempDir(), node: "node-1"}
	reclaim := corev1.PersistentVolumeReclaimDelete
	volume, _, err := f.Provision(t.Context(), controller.ProvisionOptions{
		PVName:       "pvc-1",
		StorageClass: &storagev1.StorageClass{ReclaimPolicy: &reclaim},
		PVC: &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "data"},
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(f.dir, "shop_data_pvc-1")
	if volume.Spec.Local == nil || volume.Spec.Local.Path != folder {
		t.Fatalf("the volume is at %+v, want %s", volume.Spec.PersistentVolumeSource, folder)
	}
	if size := volume.Spec.Capacity[corev1.ResourceStorage]; size.String() != "1Gi" {
		t.Errorf("the volume's size is %s", size.String())
	}
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o777 {
		t.Errorf("the folder is %v, %v; want it open to every user", info, err)
	}
	if err := f.Delete(t.Context(), volume); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestDeleteLeavesOthersFoldersAlone(t *testing.T) {
	f := folders{dir: t.TempDir()}
	other := t.TempDir()
	for _, path := range []string{other, filepath.Join(f.dir, "a", "b"), f.dir + "/../" + filepath.Base(other)} {
		volume := &corev1.PersistentVolume{Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeSource: corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}},
		}}
		err := f.Delete(t.Context(), volume)
		if ignored := (*controller.IgnoredError)(nil); !errors.As(err, &ignored) {
			t.Errorf("deleting %s: %v", path, err)
		}
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}
