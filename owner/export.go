package owner

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/as"
)

// Export writes the lines that the filter lets through, newest first, as one JSON
// text with an array of Line, or as CSV with a heading. It reads page by page, so
// what is added meanwhile is not in it.
func (v Views) Export(ctx context.Context, o as.Owner, f HistoryFilter, format ExportFormat, to io.Writer) error {
	write, finish := csvLines(to)
	if format == ExportJSON {
		write, finish = jsonLines(to)
	}
	for page := (Page{Limit: MaxLimit}); ; {
		h, err := v.History(ctx, o, f, page)
		if err != nil {
			return err
		}
		for _, l := range h.List {
			if err := write(l); err != nil {
				return err
			}
		}
		if page.After = h.Next; h.Next == "" {
			return finish()
		}
	}
}

// ExportFormat is a form of the history as a file.
type ExportFormat string

const (
	ExportCSV  ExportFormat = "csv"
	ExportJSON ExportFormat = "json"
)

func csvLines(to io.Writer) (write func(Line) error, finish func() error) {
	w := csv.NewWriter(to)
	err := w.Write([]string{"number", "time", "what", "by", "for", "things", "who", "app", "scopes"})
	write = func(l Line) error {
		var things, who, apps, scopes []string
		for _, a := range append([]App{l.App}, l.Through...) {
			if name := cmp.Or(a.Name, string(a.ID)); name != "" && !slices.Contains(apps, name) {
				apps = append(apps, name)
			}
		}
		for _, t := range l.Things {
			things = append(things, t.Name)
		}
		for _, w := range l.Who {
			who = append(who, cmp.Or(w.App.Name, w.Group, w.Value, string(w.Kind)))
		}
		for _, s := range l.Scopes {
			scopes = append(scopes, string(s))
		}
		row := []string{
			strconv.FormatInt(l.Seq, 10), l.At.UTC().Format(time.RFC3339), l.Kind, cmp.Or(l.Actor.Name, l.Actor.ID), l.Actor.For,
			strings.Join(things, "; "), strings.Join(who, "; "), strings.Join(apps, "; "), strings.Join(scopes, " "),
		}
		for i := range row {
			row[i] = inert(row[i])
		}
		return errors.Join(err, w.Write(row))
	}
	return write, func() error { w.Flush(); return errors.Join(err, w.Error()) }
}

// inert keeps a spreadsheet from taking what somebody named a thing for a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func jsonLines(to io.Writer) (write func(Line) error, finish func() error) {
	before := "["
	write = func(l Line) error {
		raw, err := json.Marshal(l)
		if err == nil {
			_, err = to.Write(append([]byte(before), raw...))
		}
		before = ",\n"
		return err
	}
	return write, func() error {
		end := "]\n"
		if before == "[" {
			end = "[]\n"
		}
		_, err := io.WriteString(to, end)
		return err
	}
}
