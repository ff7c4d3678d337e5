package rows

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Translate returns the migrations with what an engine says otherwise in its own
// words.
func Translate(words map[string]string) (fs.FS, error) {
	files, err := fs.Sub(Migrations, "migrations")
	if err != nil {
		return nil, err
	}
	var pairs []string
	for ours, theirs := range words {
		pairs = append(pairs, ours, theirs)
	}
	return dialect{files, strings.NewReplacer(pairs...)}, nil
}

type dialect struct {
	fs.FS
	words *strings.Replacer
}

func (d dialect) Open(name string) (fs.File, error) {
	f, err := d.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return translated{f, strings.NewReader(d.words.Replace(string(text)))}, nil
}

// translated is a file with another text.
type translated struct {
	fs.File
	text *strings.Reader
}

func (t translated) Read(b []byte) (int, error) { return t.text.Read(b) }
