module github.com/stackhop/stackhop/tests/nettest

go 1.25.0

replace github.com/stackhop/stackhop => ../..

require (
	github.com/stackhop/stackhop v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
	golang.org/x/net v0.48.0
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/arch v0.30.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)
