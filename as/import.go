package as

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// An import takes people, clients, resources and shares from a file, one JSON
// object in each line, in the order of the lines. The format is in
// docs/reference/import.md.
//
// Rows are taken in batches, each in one transaction that also writes down how
// many have been taken and a hash over them. An import that was cut off
// therefore goes on behind the last row that took effect, with the same file or
// with one that begins alike; what an owner has taken back meanwhile does not
// return. Ids are the server's own, as everywhere.

// ImportOptions says how an import is made.
type ImportOptions struct {
	// PasswordHash says whether a password hash can be used. Required.
	PasswordHash func(string) error
	// Made hears what a batch makes, just before the batch is committed. What it
	// has heard of rows that Imported does not count has not taken effect. An
	// error ends the import. nil hears nothing.
	Made func([]Made) error
}

// Made is what became of one row.
type Made struct {
	Row    int64 // counted from 1
	Kind   string
	ID     string // of the account, client or resource
	Space  SpaceID
	Shares []policy.ShareID // in the order of the row
}

// RowError is a row that cannot be taken. Nothing of its batch has been.
type RowError struct {
	Row int64 // counted from 1
	Err error // an *uma.Error
}

func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row, e.Err) }
func (e *RowError) Unwrap() error { return e.Err }

// The size of a batch. Others wait while one is written.
const (
	importBatch = 1000
	// importShares bounds the shares and members of a batch: a row may have many.
	importShares = 4000
)

const maxImportName = 100

// ImportBegun tells how far the import of this name has come; the zero value
// when there is none.
func (s *Server) ImportBegun(ctx context.Context, name string) (Imported, error) {
	if name == "" || len(name) > maxImportName {
		return Imported{}, uma.NewError(uma.InvalidRequest, "An import needs a name of at most 100 bytes.")
	}
	var i Imported
	err := s.Store.View(ctx, func(r Reader) (err error) {
		i, err = r.Imported(name)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return Imported{Name: name}, nil
	}
	return i, err
}

// Import takes the rows that the import of this name has not taken yet, and
// tells how far it has come. A *RowError names the row that cannot be taken;
// what comes before its batch has taken effect.
func (s *Server) Import(ctx context.Context, name string, from io.Reader, o ImportOptions) (Imported, error) {
	begun, err := s.ImportBegun(ctx, name)
	if err != nil {
		return begun, err
	}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, uma.MaxJSON+2)
	at := Imported{Name: name, CreatedAt: begun.CreatedAt}
	for at.Rows < begun.Rows && lines.Scan() {
		at = at.next(lines.Bytes())
	}
	if !bytes.Equal(at.Chain, begun.Chain) {
		return begun, errors.Join(lines.Err(), uma.NewError(Conflict, "The rows that were taken already are not those of this file."))
	}
	im := &importing{Server: s, options: o, owners: map[string]importOwner{}}
	batches, stop := im.readAhead(lines, at)
	defer stop()
	for batch := range batches {
		if batch.err != nil {
			return at, batch.err
		}
		if err := im.write(ctx, batch, at); err != nil {
			return at, err
		}
		at = batch.end
	}
	return at, nil
}

// readAhead parses batches while others are written. stop has to be called: when
// it returns, the file is not read any more.
func (im *importing) readAhead(lines *bufio.Scanner, at Imported) (batches <-chan importRows, stop func()) {
	out, enough := make(chan importRows), make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(out)
		for {
			batch := im.read(lines, at)
			if batch.err == nil && len(batch.rows) == 0 {
				return
			}
			select {
			case out <- batch:
			case <-enough:
				return
			}
			if batch.err != nil {
				return
			}
			at = batch.end
		}
	})
	return out, func() {
		close(enough)
		reading.Wait()
	}
}

// next is the import after one more row.
func (i Imported) next(line []byte) Imported {
	h := sha256.New()
	h.Write(i.Chain)
	_ = binary.Write(h, binary.BigEndian, uint64(len(line))) // a hash takes everything
	h.Write(line)
	i.Rows, i.Chain = i.Rows+1, h.Sum(nil)
	return i
}

// importing is an import under way.
type importing struct {
	*Server
	options ImportOptions
	owners  map[string]importOwner // by canonical e-mail address
}

// importOwner is a person and the one space that is theirs.
type importOwner struct {
	account AccountID
	space   SpaceID
}

// importRows is a batch, or the reason why there is none.
type importRows struct {
	rows []importRow
	end  Imported // where the import is after it
	err  error
}

// read parses the next batch, of what has not been taken at at.
func (im *importing) read(lines *bufio.Scanner, at Imported) importRows {
	batch := importRows{end: at}
	shares := 0
	for len(batch.rows) < importBatch && shares < importShares && lines.Scan() {
		row, err := im.parseRow(lines.Bytes())
		if err != nil && lines.Err() != nil {
			break // the row is cut off
		}
		if err != nil {
			return importRows{err: &RowError{batch.end.Rows + 1, err}}
		}
		batch.rows = append(batch.rows, row)
		batch.end = batch.end.next(lines.Bytes())
		shares += len(row.shares) + len(row.members)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return importRows{err: &RowError{batch.end.Rows + 1, uma.NewError(uma.InvalidRequest, "The row is too long.")}}
	}
	batch.err = lines.Err()
	return batch
}

// write takes a batch.
func (im *importing) write(ctx context.Context, batch importRows, at Imported) error {
	if im.options.Made != nil {
		made := make([]Made, len(batch.rows))
		for i, row := range batch.rows {
			made[i] = row.made(at.Rows + int64(i) + 1)
		}
		if err := im.options.Made(made); err != nil {
			return err
		}
	}
	if len(im.owners) > maxRemembered {
		clear(im.owners)
	}
	return im.Store.Update(ctx, func(tx Tx) error {
		if err := im.advance(tx, batch.end, at); err != nil {
			return err
		}
		t := taking{importing: im, tx: tx, noted: map[SpaceID]*importNote{}}
		for i, row := range batch.rows {
			if err := t.take(row); err != nil {
				if refusal := new(uma.Error); errors.As(err, &refusal) {
					err = &RowError{at.Rows + int64(i) + 1, err}
				}
				return err
			}
		}
		return t.note(batch.end.Name)
	})
}

// advance writes down how far the import comes with this transaction. Of two
// that take the same rows one fails.
func (im *importing) advance(tx Tx, end, at Imported) error {
	var err error
	if at.Rows == 0 {
		end.CreatedAt = im.now()
		err = tx.InsertImported(end)
	} else {
		err = tx.AdvanceImported(end, at.Rows)
	}
	if errors.Is(err, ErrExists) || errors.Is(err, ErrNotFound) {
		return uma.NewError(Conflict, "The same import is running elsewhere.")
	}
	return err
}
