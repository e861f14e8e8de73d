//go:build unix

package main

// fullPackages are what make std-suites runs.
var fullPackages = []string{
	"archive/tar", "archive/zip", "bufio", "bytes", "compress/bzip2", "compress/flate", "compress/gzip", "compress/zlib",
	"container/heap", "container/list", "container/ring", "context",
	"crypto/tls", "crypto/x509", "database/sql", "encoding/asn1", "encoding/base64", "encoding/binary", "encoding/csv",
	"encoding/gob", "encoding/hex", "encoding/json", "encoding/pem", "encoding/xml", "errors", "expvar", "flag", "fmt",
	"go/ast", "go/format", "go/parser", "go/printer", "go/scanner", "go/token", "hash/crc32", "hash/maphash", "html",
	"html/template", "image/gif", "image/jpeg", "image/png", "index/suffixarray", "io", "io/fs", "iter",
	"log", "log/slog", "maps", "math/big", "math/rand/v2", "mime", "mime/multipart", "net", "net/http", "net/http/cgi",
	"net/http/cookiejar", "net/http/httptest", "net/http/httputil", "net/http/httptrace", "net/mail", "net/netip",
	"net/rpc", "net/rpc/jsonrpc", "net/smtp", "net/textproto", "net/url", "os", "os/exec", "os/signal", "os/user", "path",
	"path/filepath", "reflect", "regexp", "regexp/syntax", "slices", "sort", "strconv", "strings", "sync", "sync/atomic",
	"testing", "testing/fstest", "testing/iotest", "testing/quick", "testing/synctest", "text/scanner",
	"text/tabwriter", "text/template", "text/template/parse", "time", "unicode/utf8", "unique", "weak",
}

// smokePackages are what make std-smoke runs.
var smokePackages = []string{"context", "encoding/json", "go/parser", "regexp", "sync", "text/template", "testing/synctest"}
