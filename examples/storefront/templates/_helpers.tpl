{{/* The name of everything here: the release's, or release-storefront. */}}
{{- define "storefront.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "storefront.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "storefront.commonLabels" -}}
app.kubernetes.io/part-of: {{ include "storefront.fullname" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "storefront.labels" -}}
{{ include "storefront.selectorLabels" . }}
{{ include "storefront.commonLabels" . }}
{{- end -}}

{{/* The Secret that holds the token. */}}
{{- define "storefront.authSecret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-auth" (include "storefront.fullname" .)) -}}
{{- end -}}

{{/* Which database: read alike by the shop and by psql. */}}
{{- define "storefront.databaseEnv" -}}
- {name: PGHOST, value: {{ .Values.database.host | quote }}}
- {name: PGPORT, value: {{ .Values.database.port | quote }}}
- {name: PGDATABASE, value: {{ .Values.database.name | quote }}}
- {name: PGCONNECT_TIMEOUT, value: "5"}
{{- end -}}

{{/* Who connects to it: its owner. */}}
{{- define "storefront.ownerEnv" -}}
- {name: PGUSER, value: {{ .Values.database.user | quote }}}
- name: PGPASSWORD
  valueFrom:
    secretKeyRef: {name: {{ .Values.database.existingSecret }}, key: {{ .Values.database.passwordKey }}}
{{- end -}}

{{/* Name and password of the temporary user, for the hooks that make it and take it away. */}}
{{- define "storefront.temporaryUserEnv" -}}
- name: TEMPORARY_USER
  valueFrom:
    secretKeyRef: {name: {{ include "storefront.fullname" . }}-temporary-user, key: username}
- name: TEMPORARY_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ include "storefront.fullname" . }}-temporary-user, key: password}
{{- end -}}

{{/* What every pod here may do: nothing that needs a privilege, a token or a writable image. */}}
{{- define "storefront.podSettings" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "storefront.containerSettings" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* The rest of a container that runs a script of the hook files. */}}
{{- define "storefront.hookContainer" -}}
volumeMounts:
  - {name: hook-files, mountPath: /hook-files, readOnly: true}
{{ include "storefront.containerSettings" . }}
{{- end -}}

{{- define "storefront.hookVolumes" -}}
volumes:
  - name: hook-files
    configMap: {name: {{ include "storefront.fullname" . }}-hook-files}
{{- end -}}

{{/* Shell: sets pods to the addresses of the pods that are ready. */}}
{{- define "storefront.findPods" -}}
pods=$(nslookup -type=a {{ include "storefront.fullname" . }}-pods.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }} |
  awk '/^Name:/ { found = 1 } found && /^Address/ { print $NF }')
[ -n "$pods" ] || echo "no pod is ready: nothing to do"
{{- end -}}
