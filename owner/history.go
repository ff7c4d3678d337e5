package owner

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// HistoryFilter narrows the history. A zero member does not.
type HistoryFilter struct {
	Thing  uma.ResourceID
	Person string         // the Key of a Who
	App    oauth.ClientID // did it, or it is about
	Since  time.Time      // after this
	Until  time.Time      // before this
}

// History is a page of the history, newest first. A page may have fewer lines than
// it could, or none, although there is a Next: only so many events are looked
// through for one.
type History struct {
	List []Line
	Next string
}

// lookedThrough is how many events are read for one page.
const lookedThrough = 500

// History lists the events of the space that the filter lets through.
func (v Views) History(ctx context.Context, o as.Owner, f HistoryFilter, p Page) (History, error) {
	list := "history " + string(f.Thing) + " " + f.Person + " " + string(f.App) + " " +
		strconv.FormatInt(f.Since.UnixMilli(), 10) + " " + strconv.FormatInt(f.Until.UnixMilli(), 10)
	after, err := v.AS.OpenCursor(o, list, p.After)
	if err != nil {
		return History{}, err
	}
	before, _ := strconv.ParseInt(after, 10, 64) // a cursor is ours; "" is from the end
	var out History
	err = v.read(ctx, o, func(s *snapshot) error {
		lines, next, err := s.history(f, before, p.limit())
		out = History{List: lines}
		if next > 0 {
			out.Next = v.AS.Cursor(o, list, strconv.FormatInt(next, 10))
		}
		return err
	})
	return out, err
}

// history reads lines before a sequence number. next is where to go on; 0 at the
// end.
func (s *snapshot) history(f HistoryFilter, before int64, limit int) (lines []Line, next int64, err error) {
	for looked := 0; looked < lookedThrough; {
		n := limit - len(lines) + 1
		if f.narrows() {
			n = min(200, max(5*limit, 4*looked)) // few lines are often among the latest few events
		}
		events, err := s.EventsBefore(s.o.Space, before, n)
		if err != nil {
			return nil, 0, err
		}
		ended := len(events) < n
		if i := slices.IndexFunc(events, func(e as.Event) bool { return !e.At.After(f.Since) }); i >= 0 {
			events, ended = events[:i], true
		}
		told, err := s.tell(events, f)
		if err != nil {
			return nil, 0, err
		}
		if len(lines)+len(told) > limit {
			told = told[:limit-len(lines)]
			return append(lines, told...), append(lines, told...)[limit-1].Seq, nil
		}
		if lines = append(lines, told...); ended {
			return lines, 0, nil
		}
		before = events[len(events)-1].Seq
		looked += len(events)
	}
	return lines, before, nil
}

func (f HistoryFilter) narrows() bool {
	return f.Thing != "" || f.Person != "" || f.App != "" || !f.Until.IsZero()
}

// maybe is lets without what has to be looked up for it.
func (f HistoryFilter) maybe(l Line) bool {
	f.Person, f.App = "", ""
	if l.manyShares() {
		f.Thing = ""
	}
	return f.lets(l)
}

func (f HistoryFilter) lets(l Line) bool {
	return (f.Thing == "" || slices.ContainsFunc(l.Things, func(t ThingName) bool { return t.ID == f.Thing })) &&
		(f.Person == "" || slices.ContainsFunc(l.Who, func(w Who) bool { return w.Key == f.Person })) &&
		(f.App == "" || l.App.ID == f.App || l.Actor.ID == string(f.App) || slices.ContainsFunc(l.Through, func(a App) bool { return a.ID == f.App })) &&
		(f.Until.IsZero() || l.At.Before(f.Until))
}
