//go:build unix

package main

// fullPackages are what make std-suites runs.
var fullPackages = []string{
	"archive/tar", "archive/zip", "bufio", "bytes", "cmp",
	"compress/bzip2", "compress/flate", "compress/gzip", "compress/lzw", "compress/zlib",
	"container/heap", "container/list", "container/ring", "context",
	"crypto/aes", "crypto/ecdsa", "crypto/ed25519", "crypto/rand", "crypto/rsa", "crypto/sha256", "crypto/tls", "crypto/x509",
	"database/sql", "debug/dwarf", "debug/elf",
	"encoding/ascii85", "encoding/asn1", "encoding/base32", "encoding/base64", "encoding/binary", "encoding/csv",
	"encoding/gob", "encoding/hex", "encoding/json", "encoding/pem", "encoding/xml", "errors", "expvar", "flag", "fmt",
	"go/ast", "go/constant", "go/doc", "go/format", "go/parser", "go/printer", "go/scanner", "go/token", "go/types",
	"hash/crc32", "hash/maphash", "html", "html/template",
	"image", "image/draw", "image/gif", "image/jpeg", "image/png", "index/suffixarray",
	"internal/poll", "internal/runtime/maps", "internal/singleflight", "internal/sync", "internal/synctest",
	"io", "io/fs", "iter", "log", "log/slog", "maps", "math", "math/big", "math/cmplx", "math/rand", "math/rand/v2",
	"mime", "mime/multipart", "mime/quotedprintable",
	"net", "net/http", "net/http/cgi", "net/http/cookiejar", "net/http/httptest", "net/http/httptrace", "net/http/httputil",
	"net/http/pprof", "net/mail", "net/netip", "net/rpc", "net/rpc/jsonrpc", "net/smtp", "net/textproto", "net/url",
	"os", "os/exec", "os/signal", "os/user", "path", "path/filepath", "reflect", "regexp", "regexp/syntax",
	"runtime/debug", "runtime/metrics", "runtime/pprof", "runtime/trace",
	"slices", "sort", "strconv", "strings", "sync", "sync/atomic", "syscall",
	"testing", "testing/fstest", "testing/iotest", "testing/quick", "testing/slogtest", "testing/synctest",
	"text/scanner", "text/tabwriter", "text/template", "text/template/parse", "time", "unicode/utf8", "unique", "weak",
}

// smokePackages are what make std-smoke runs.
var smokePackages = []string{"context", "encoding/json", "go/parser", "regexp", "sync", "testing/synctest", "text/template"}
