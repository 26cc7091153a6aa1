package main

// fortyKinds are 40 objects, each of another kind. None of them has a finalizer
// that would be in the way of the next install.
const fortyKinds = `---
apiVersion: v1
kind: ServiceAccount
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
---
apiVersion: v1
kind: Secret
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
data: {key: dmFsdWU=}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: bench-kinds, labels: {v: "{{ .Values.value }}"}}
data: {key: "{{ .Values.value }}"}
---
apiVersion: v1
kind: Service
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {selector: {app: bench}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: bench-nowhere, labels: {v: "{{ .Values.value }}"}}
spec: {nodeSelector: {none: none}, containers: [{name: c, image: "busybox:1.36"}]}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {replicas: 0, selector: {app: bench}, template: {metadata: {labels: {app: bench}}, spec: {containers: [{name: c, image: "busybox:1.36"}]}}}
---
apiVersion: v1
kind: PodTemplate
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
template: {metadata: {labels: {app: bench}}, spec: {containers: [{name: c, image: "busybox:1.36"}]}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {limits: [{type: PersistentVolumeClaim, max: {storage: 1Ti}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {hard: {count/ingresses.networking.k8s.io: "100"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {replicas: 0, selector: {matchLabels: {app: bench}}, template: {metadata: {labels: {app: bench}}, spec: {containers: [{name: c, image: "busybox:1.36"}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {replicas: 0, serviceName: bench, selector: {matchLabels: {app: bench}}, template: {metadata: {labels: {app: bench}}, spec: {containers: [{name: c, image: "busybox:1.36"}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {selector: {matchLabels: {app: bench}}, template: {metadata: {labels: {app: bench}}, spec: {nodeSelector: {none: none}, containers: [{name: c, image: "busybox:1.36"}]}}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {replicas: 0, selector: {matchLabels: {app: bench}}, template: {metadata: {labels: {app: bench}}, spec: {containers: [{name: c, image: "busybox:1.36"}]}}}
---
apiVersion: apps/v1
kind: ControllerRevision
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
revision: 1
data: {key: value}
---
apiVersion: batch/v1
kind: Job
metadata: {name: bench-suspended, labels: {v: "{{ .Values.value }}"}}
spec: {suspend: true, template: {metadata: {labels: {job: bench}}, spec: {restartPolicy: Never, containers: [{name: c, image: "busybox:1.36"}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {suspend: true, schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {metadata: {labels: {job: bench}}, spec: {restartPolicy: Never, containers: [{name: c, image: "busybox:1.36"}]}}}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: bench}
subjects: [{kind: ServiceAccount, name: bench, namespace: bench}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {podSelector: {matchLabels: {app: bench}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {defaultBackend: {service: {name: bench, port: {number: 80}}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {minAvailable: 1, selector: {matchLabels: {app: bench}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {minReplicas: 1, maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: bench}}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {holderIdentity: bench}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: bench-kinds, labels: {v: "{{ .Values.value }}"}}
addressType: IPv4
endpoints: []
ports: []
---
apiVersion: storage.k8s.io/v1
kind: CSIStorageCapacity
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
storageClassName: bench
capacity: 1Gi
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {spec: {devices: {requests: [{name: d, exactly: {deviceClassName: bench}}]}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: bench}
subjects: [{kind: ServiceAccount, name: bench, namespace: bench}]
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
value: 1
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
provisioner: bench.example.com
---
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: bench.example.com, labels: {v: "{{ .Values.value }}"}}
spec: {attachRequired: false}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {controller: example.com/bench}
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
handler: runc
---
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
webhooks: []
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
webhooks: []
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {matchConstraints: {resourceRules: [{apiGroups: [bench.example.com], apiVersions: [v1], operations: [CREATE], resources: [things]}]}, validations: [{expression: "true"}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {policyName: bench, validationActions: [Audit]}
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {type: Limited, limited: {nominalConcurrencyShares: 1, limitResponse: {type: Reject}}}
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: {name: bench, labels: {v: "{{ .Values.value }}"}}
spec: {matchingPrecedence: 9999, priorityLevelConfiguration: {name: bench}}
`
