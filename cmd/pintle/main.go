// Command pintle runs the life of a Helm release on Kubernetes.
package main

func main() {}
