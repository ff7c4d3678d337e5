package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/login"
	"github.com/licet/licet/policy"
)

type importCommand struct {
	Config string `help:"The configuration file (TOML) of the server." type:"path" placeholder:"FILE"`
	Name   string `help:"The name of the import. The same name goes on where it was cut off." required:""`
	IDs    string `name:"ids" help:"Write the ids of what is made into this file, one JSON object for each row." type:"path" placeholder:"FILE"`
	Rows   string `arg:"" help:"The file with the rows; docs/reference/import.md." type:"existingfile"`
}

// Run imports the rows that have not been taken yet.
func (cmd importCommand) Run(s surroundings) error {
	c, err := readConfig(cmd.Config, s.env)
	if err != nil {
		return err
	}
	rows, err := os.Open(cmd.Rows)
	if err != nil {
		return err
	}
	defer rows.Close() // it was only read
	n, err := node.Open(s.ctx, c.place, c.as, node.Surface{}, slog.New(slog.NewJSONHandler(s.stderr, nil)))
	if err != nil {
		return err
	}
	if err = c.apply(s.ctx, n.AS); err == nil {
		err = cmd.run(s, n.AS, rows)
	}
	return errors.Join(err, n.Close())
}

func (cmd importCommand) run(s surroundings, server *as.Server, rows io.Reader) error {
	begun, err := server.ImportBegun(s.ctx, cmd.Name)
	if err != nil {
		return err
	}
	options := as.ImportOptions{PasswordHash: login.ValidHash}
	if cmd.IDs != "" {
		ids, err := openIDs(cmd.IDs, begun.Rows)
		if err != nil {
			return err
		}
		defer ids.Close() // each batch has been synced
		options.Made = ids.write
	}
	begin := time.Now()
	done, err := server.Import(s.ctx, cmd.Name, rows, options)
	taken := done.Rows - begun.Rows
	_, told := fmt.Fprintf(s.stdout, "%d rows taken, %d in all; %.0f rows/s\n", taken, done.Rows, float64(taken)/time.Since(begin).Seconds())
	return errors.Join(err, told)
}

// idsFile is where it is written down what rows became. A batch is written and
// synced before it takes effect, so that no id is ever lost; what has not taken
// effect is cut off when the import goes on.
type idsFile struct{ *os.File }

// rowIDs is one line of the file.
type rowIDs struct {
	Row    int64            `json:"row"`
	Kind   string           `json:"kind"`
	ID     string           `json:"id"`
	Space  as.SpaceID       `json:"space,omitempty"`
	Shares []policy.ShareID `json:"shares,omitempty"`
}

func openIDs(path string, taken int64) (idsFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return idsFile{}, err
	}
	if err := keepIDs(f, taken); err != nil {
		return idsFile{}, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return idsFile{f}, nil
}

// keepIDs cuts the file off behind the row that was taken last.
func keepIDs(f *os.File, taken int64) error {
	lines := bufio.NewReader(f)
	var kept, last int64
	for last < taken {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return fmt.Errorf("the ids of rows %d to %d are missing", last+1, taken)
		}
		if err != nil {
			return err
		}
		var row rowIDs
		if err := json.Unmarshal(line, &row); err != nil {
			return err
		}
		if row.Row != last+1 {
			return fmt.Errorf("after row %d comes row %d", last, row.Row)
		}
		kept, last = kept+int64(len(line)), row.Row
	}
	if err := f.Truncate(kept); err != nil {
		return err
	}
	_, err := f.Seek(kept, io.SeekStart)
	return err
}

func (f idsFile) write(made []as.Made) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, m := range made {
		if err := e.Encode(rowIDs{m.Row, m.Kind, m.ID, m.Space, m.Shares}); err != nil {
			return err
		}
	}
	if _, err := f.Write(b.Bytes()); err != nil {
		return err
	}
	return f.Sync()
}
