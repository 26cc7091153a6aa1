package object

import (
	"cmp"
	"slices"
	"strings"
)

// KindOrder is an order of kinds: those named come first, in that order; all
// others follow, sorted by kind.
type KindOrder struct {
	rank map[string]int
}

// InstallOrder is the order in which Helm applies kinds: what others refer to first.
var InstallOrder = newKindOrder(`
	PriorityClass Namespace NetworkPolicy ResourceQuota LimitRange PodSecurityPolicy PodDisruptionBudget
	ServiceAccount Secret SecretList ConfigMap StorageClass PersistentVolume PersistentVolumeClaim
	CustomResourceDefinition ClusterRole ClusterRoleList ClusterRoleBinding ClusterRoleBindingList
	Role RoleList RoleBinding RoleBindingList
	Service DaemonSet Pod ReplicationController ReplicaSet Deployment HorizontalPodAutoscaler StatefulSet Job CronJob
	IngressClass Ingress APIService MutatingWebhookConfiguration ValidatingWebhookConfiguration`)

// UninstallOrder is the order in which Helm deletes kinds. It is not quite the
// reverse of InstallOrder (Services go before workloads), and other kinds come last here too.
var UninstallOrder = newKindOrder(`
	ValidatingWebhookConfiguration MutatingWebhookConfiguration APIService Ingress IngressClass
	Service CronJob Job StatefulSet HorizontalPodAutoscaler Deployment ReplicaSet ReplicationController Pod DaemonSet
	RoleBindingList RoleBinding RoleList Role
	ClusterRoleBindingList ClusterRoleBinding ClusterRoleList ClusterRole CustomResourceDefinition
	PersistentVolumeClaim PersistentVolume StorageClass ConfigMap SecretList Secret ServiceAccount
	PodDisruptionBudget PodSecurityPolicy LimitRange ResourceQuota NetworkPolicy Namespace PriorityClass`)

func newKindOrder(kinds string) KindOrder {
	o := KindOrder{rank: map[string]int{}}
	for i, kind := range strings.Fields(kinds) {
		o.rank[kind] = i
	}
	return o
}

// Known reports whether the order names the kind.
func (o KindOrder) Known(kind string) bool {
	_, ok := o.rank[kind]
	return ok
}

// Compare is negative when kind a comes before kind b, 0 when they are the
// same kind, as slices.SortStableFunc wants it.
func (o KindOrder) Compare(a, b string) int {
	first, aKnown := o.rank[a]
	second, bKnown := o.rank[b]
	switch {
	case aKnown && bKnown:
		return cmp.Compare(first, second)
	case aKnown:
		return -1
	case bKnown:
		return 1
	default:
		return cmp.Compare(a, b)
	}
}

// SortByKind sorts items in place by their kind; items of one kind keep their order.
func SortByKind[T any](items []T, order KindOrder, kind func(T) string) {
	slices.SortStableFunc(items, func(a, b T) int { return order.Compare(kind(a), kind(b)) })
}
