package main

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersionNamesModuleAndGoRelease(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, printVersion(nil, &out, io.Discard))
	require.Regexp(t, `^stackhop \S+.*, `+runtime.Version()+` `+runtime.GOOS+`/`+runtime.GOARCH+"\n$", out.String())

	out.Reset()
	require.NoError(t, printVersion([]string{"-json"}, &out, io.Discard))
	var v version
	require.NoError(t, json.Unmarshal(out.Bytes(), &v))
	require.Equal(t, thisVersion(), v)
	require.Equal(t, "v1.2.3 abc modified", version{Module: "v1.2.3", Revision: "abc", Modified: true}.String())
}
