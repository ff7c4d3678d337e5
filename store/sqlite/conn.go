package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/licet/licet/store/internal/rows"
	"modernc.org/libc"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// The settings of every connection, and of each kind. Checkpoints are ours to
// make: see checkpointAll. They rather give up than keep the committer waiting.
// The first GiB of the file is read where it lies in memory: a copy of each page in
// each connection would cost more than the reading.
var (
	always     = []string{"journal_mode(wal)", "synchronous(full)", "foreign_keys(1)", "wal_autocheckpoint(0)", "cache_size(-16000)", "temp_store(memory)"}
	forWriting = slices.Concat([]string{"busy_timeout(10000)", "mmap_size(1073741824)"}, always)
	forReading = slices.Concat(forWriting, []string{"query_only(1)"})
	forMoving  = slices.Concat([]string{"busy_timeout(50)"}, always)
)

// connector opens connections of database/sql, for what is seldom done.
type connector struct{ dsn string }

func connectTo(path string, settings []string) connector {
	return connector{"file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=" + strings.Join(settings, "&_pragma=")}
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.Driver().Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return &sqlite.Driver{} }

// conn is one connection with its prepared statements. It is for one goroutine
// at a time, and needs no locks therefore. It speaks to SQLite itself: a driver,
// and the copies and conversions that come with it, would cost as much as the
// statements.
type conn struct {
	tls      *libc.TLS
	db       uintptr
	prepared map[string]*statement
	values   []value // the arguments of the statement that is bound
}

// value is one of what SQLite knows: null, a number, a text or bytes.
type value struct {
	kind   int32 // as SQLite numbers them
	number int64
	text   string
	bytes  []byte
}

// statement is a prepared statement. What is bound to it lies in room, until it is
// used again.
type statement struct {
	handle uintptr
	room   uintptr
	size   int
}

func newConn(path string, settings []string) (*conn, error) {
	c := &conn{tls: libc.NewTLS(), prepared: map[string]*statement{}}
	name, err := libc.CString(path)
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	defer libc.Xfree(c.tls, name)
	place := c.tls.Alloc(pointerBytes)
	defer c.tls.Free(pointerBytes)
	rc := lib.Xsqlite3_open_v2(c.tls, name, place, lib.SQLITE_OPEN_READWRITE|lib.SQLITE_OPEN_CREATE|lib.SQLITE_OPEN_NOMUTEX, 0)
	if c.db = pointerAt(place); rc != lib.SQLITE_OK {
		return nil, errors.Join(c.failure(rc), c.close())
	}
	for _, setting := range settings {
		if err := c.run("pragma " + setting); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// failure is the error of a call that did not go well.
func (c *conn) failure(rc int32) error {
	return fmt.Errorf("sqlite: %s (%d)", libc.GoString(lib.Xsqlite3_errmsg(c.tls, c.db)), rc)
}

// pointerBytes is the size of a pointer of SQLite's.
const pointerBytes = strconv.IntSize / 8

// pointerAt reads a pointer out of SQLite's memory.
func pointerAt(place uintptr) uintptr {
	var b [8]byte
	copy(b[:], libc.GoBytes(place, pointerBytes))
	if pointerBytes == 4 {
		return uintptr(binary.NativeEndian.Uint32(b[:]))
	}
	return uintptr(binary.NativeEndian.Uint64(b[:]))
}

// statement prepares a query once. SQLite takes $1 for a name; where the
// placeholders stand in their order they need none.
func (c *conn) statement(query string) (*statement, error) {
	if s, ok := c.prepared[query]; ok {
		return s, nil
	}
	text, err := libc.CString(nameless(query))
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, text)
	place := c.tls.Alloc(pointerBytes)
	defer c.tls.Free(pointerBytes)
	if rc := lib.Xsqlite3_prepare_v3(c.tls, c.db, text, -1, lib.SQLITE_PREPARE_PERSISTENT, place, 0); rc != lib.SQLITE_OK {
		return nil, c.failure(rc)
	}
	s := &statement{handle: pointerAt(place)}
	c.prepared[query] = s
	return s, nil
}

var placeholder = regexp.MustCompile(`\$[0-9]+`)

// nameless numbers $1, $2, … as SQLite does.
func nameless(query string) string {
	return placeholder.ReplaceAllStringFunc(query, func(p string) string { return "?" + p[1:] })
}

// bind gives a statement its arguments.
func (c *conn) bind(s *statement, args []any) error {
	size := 1
	values := c.values[:0]
	for _, a := range args {
		v, err := valueOf(a)
		if err != nil {
			return err
		}
		size += len(v.text) + len(v.bytes)
		values = append(values, v)
	}
	c.values = values
	if size > s.size {
		lib.Xsqlite3_free(c.tls, s.room)
		s.size = 0
		if s.room = lib.Xsqlite3_malloc(c.tls, int32(size)); s.room == 0 {
			return errors.New("sqlite: there is no memory for the arguments of a statement")
		}
		s.size = size
	}
	room, at := libc.GoBytes(s.room, s.size), 0
	for i, v := range values {
		n, rc := int32(i+1), int32(lib.SQLITE_OK)
		switch v.kind {
		case lib.SQLITE_NULL:
			rc = lib.Xsqlite3_bind_null(c.tls, s.handle, n)
		case lib.SQLITE_INTEGER:
			rc = lib.Xsqlite3_bind_int64(c.tls, s.handle, n, v.number)
		case lib.SQLITE_TEXT:
			rc = lib.Xsqlite3_bind_text(c.tls, s.handle, n, s.room+uintptr(at), int32(len(v.text)), lib.SQLITE_STATIC)
			at += copy(room[at:], v.text)
		case lib.SQLITE_BLOB:
			rc = lib.Xsqlite3_bind_blob(c.tls, s.handle, n, s.room+uintptr(at), int32(len(v.bytes)), lib.SQLITE_STATIC)
			at += copy(room[at:], v.bytes)
		}
		if rc != lib.SQLITE_OK {
			return c.failure(rc)
		}
	}
	return nil
}

// valueOf is an argument as SQLite knows it.
func valueOf(a any) (value, error) {
	switch v := a.(type) {
	case nil:
		return value{kind: lib.SQLITE_NULL}, nil
	case string:
		return value{kind: lib.SQLITE_TEXT, text: v}, nil
	case int64:
		return value{kind: lib.SQLITE_INTEGER, number: v}, nil
	case []byte:
		if v == nil {
			return value{kind: lib.SQLITE_NULL}, nil
		}
		return value{kind: lib.SQLITE_BLOB, bytes: v}, nil
	case int:
		return value{kind: lib.SQLITE_INTEGER, number: int64(v)}, nil
	case bool:
		n := int64(0)
		if v {
			n = 1
		}
		return value{kind: lib.SQLITE_INTEGER, number: n}, nil
	case driver.Valuer:
		of, err := v.Value()
		if err != nil {
			return value{}, err
		}
		return valueOf(of)
	}
	switch v := reflect.ValueOf(a); v.Kind() {
	case reflect.String:
		return value{kind: lib.SQLITE_TEXT, text: v.String()}, nil
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return valueOf(v.Bytes())
		}
	}
	return value{}, fmt.Errorf("sqlite: a %T is no argument", a)
}

// Exec implements rows.DB. A statement is not cut short by anybody's context: it
// is short, and one that is interrupted leaves its connection in doubt.
func (c *conn) Exec(query string, args ...any) (int64, error) {
	s, err := c.statement(query)
	if err == nil {
		err = c.bind(s, args)
	}
	if err != nil {
		return 0, err
	}
	rc := lib.Xsqlite3_step(c.tls, s.handle)
	for rc == lib.SQLITE_ROW {
		rc = lib.Xsqlite3_step(c.tls, s.handle)
	}
	if rc != lib.SQLITE_DONE {
		err = c.failure(rc)
	}
	lib.Xsqlite3_reset(c.tls, s.handle) // says once more what has been said
	return int64(lib.Xsqlite3_changes(c.tls, c.db)), err
}

// Query implements rows.DB.
func (c *conn) Query(query string, args ...any) (rows.Found, error) {
	s, err := c.statement(query)
	if err == nil {
		err = c.bind(s, args)
	}
	if err != nil {
		return nil, err
	}
	return &found{c: c, s: s, columns: int(lib.Xsqlite3_column_count(c.tls, s.handle))}, nil
}

// found are the rows of a query.
type found struct {
	c       *conn
	s       *statement
	columns int
	err     error
}

func (f *found) Next() bool {
	rc := lib.Xsqlite3_step(f.c.tls, f.s.handle)
	if rc != lib.SQLITE_ROW && rc != lib.SQLITE_DONE {
		f.err = f.c.failure(rc)
	}
	return rc == lib.SQLITE_ROW
}

func (f *found) Err() error { return f.err }

func (f *found) Close() error {
	lib.Xsqlite3_reset(f.c.tls, f.s.handle) // says once more what Err has said
	return nil
}

func (f *found) Scan(places ...any) error {
	if len(places) != f.columns {
		return fmt.Errorf("sqlite: %d columns for %d places", f.columns, len(places))
	}
	for i, place := range places {
		if err := assign(place, f.column(int32(i))); err != nil {
			return fmt.Errorf("sqlite: column %d: %w", i+1, err)
		}
	}
	return nil
}

// column is a value of the row.
func (f *found) column(i int32) (v value) {
	tls, s := f.c.tls, f.s.handle
	switch v.kind = lib.Xsqlite3_column_type(tls, s, i); v.kind {
	case lib.SQLITE_INTEGER:
		v.number = lib.Xsqlite3_column_int64(tls, s, i)
	case lib.SQLITE_TEXT:
		text := lib.Xsqlite3_column_text(tls, s, i)
		v.text = string(libc.GoBytes(text, int(lib.Xsqlite3_column_bytes(tls, s, i))))
	case lib.SQLITE_BLOB:
		bytes := lib.Xsqlite3_column_blob(tls, s, i)
		v.bytes = append([]byte{}, libc.GoBytes(bytes, int(lib.Xsqlite3_column_bytes(tls, s, i)))...)
	}
	return v
}

// assign puts a value of the database into a place of a record.
func assign(place any, v value) error {
	switch p := place.(type) {
	case *string:
		if v.kind == lib.SQLITE_TEXT {
			*p = v.text
			return nil
		}
	case *int64:
		if v.kind == lib.SQLITE_INTEGER {
			*p = v.number
			return nil
		}
	case *bool:
		if v.kind == lib.SQLITE_INTEGER {
			*p = v.number != 0
			return nil
		}
	case rows.Number:
		if v.kind == lib.SQLITE_INTEGER {
			return p.SetNumber(v.number)
		}
	case rows.Text:
		if v.kind == lib.SQLITE_TEXT {
			return p.SetText(v.text)
		}
	default:
		to := reflect.ValueOf(place).Elem()
		bytes := to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8
		switch {
		case v.kind == lib.SQLITE_TEXT && to.Kind() == reflect.String:
			to.SetString(v.text)
			return nil
		case v.kind == lib.SQLITE_BLOB && bytes:
			to.SetBytes(v.bytes)
			return nil
		case v.kind == lib.SQLITE_NULL && to.Kind() == reflect.Slice:
			to.SetZero()
			return nil
		}
	}
	return fmt.Errorf("what SQLite calls %d cannot be read into a %T", v.kind, place)
}

// run executes a statement that begins or ends something.
func (c *conn) run(query string) error {
	_, err := c.Exec(query)
	return err
}

// end gives up a reading transaction. There is nothing to lose in one.
func (c *conn) end() { _ = c.run("rollback") }

func (c *conn) close() error {
	for _, s := range c.prepared {
		lib.Xsqlite3_finalize(c.tls, s.handle) // says once more how it went the last time
		lib.Xsqlite3_free(c.tls, s.room)
	}
	c.prepared = nil
	var err error
	if rc := lib.Xsqlite3_close(c.tls, c.db); rc != lib.SQLITE_OK {
		err = c.failure(rc)
	}
	c.tls.Close()
	return err
}
