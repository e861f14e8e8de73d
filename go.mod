module github.com/stackhop/stackhop

go 1.25.0

require (
	github.com/klauspost/cpuid/v2 v2.4.2
	github.com/stretchr/testify v1.12.1
	golang.org/x/arch v0.30.0
	golang.org/x/sys v0.47.0
	pgregory.net/rapid v1.3.0
)
