package demo

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"sync"
)

// diagram is a sequence diagram, ready to be drawn: a column for each party that says
// something, a row for each message.
type diagram struct {
	Width, Height int
	Parties       []column
	Rows          []row
	Summary       string
}

type column struct {
	X, Left    int
	Name, Role string
	Class      string
}

type row struct {
	N, Y            int
	At              int    // the column of who sends it
	From, To        int    // where the line begins and ends
	Tip             string // the path of the arrow's head
	Middle          int
	Label           string
	Back            bool
	Did             string
	Left, Wide, Mid int // of the box that tells what a person did
	Again           string
}

// The measures of the drawing, in its own units.
const (
	columnWidth = 196
	boxWidth    = 172
	top         = 62
	rowHeight   = 46
	clear       = 13 // from the middle of a column to the end of an arrow
)

var columnClasses = map[party]string{
	partyBob: "box third tone-4", partyApp: "box third tone-5", partyClinic: "box third tone-1", partyPhotos: "box third tone-3", partyLicet: "box",
}

// diagramOf draws messages; nil for none.
func diagramOf(messages []message) *diagram {
	if len(messages) == 0 {
		return nil
	}
	d := &diagram{}
	at := map[party]int{}
	for _, role := range roles {
		says := func(m message) bool { return m.From == role.party || m.To == role.party }
		if role.party != partyLicet && !slices.ContainsFunc(messages, says) {
			continue
		}
		x := len(d.Parties)*columnWidth + columnWidth/2
		at[role.party] = x
		d.Parties = append(d.Parties, column{x, x - boxWidth/2, string(role.party), role.Role, columnClasses[role.party]})
	}
	d.Width = max(len(d.Parties), 2) * columnWidth
	y := top + 30
	for _, m := range messages {
		r := row{N: m.N, Y: y, Label: m.Label, Back: m.Answer, Did: m.Did}
		if m.Again > 0 {
			r.Again = fmt.Sprintf("and again, %d×", m.Again)
		}
		if m.Left > 0 {
			r.Did = leftOut(m.Left)
		}
		if r.Did != "" {
			r.Wide = 210
			r.Left = d.Width - r.Wide - 4
			r.Mid = r.Left + r.Wide/2
		} else {
			from, to := at[m.From], at[m.To]
			r.At, r.Middle = from, (from+to)/2
			if to > from {
				r.From, r.To = from+clear, to-9
				r.Tip = fmt.Sprintf("M%d %dl-10 -5v10z", to-1, y)
			} else {
				r.From, r.To = from-clear, to+9
				r.Tip = fmt.Sprintf("M%d %dl10 -5v10z", to+1, y)
			}
		}
		d.Rows = append(d.Rows, r)
		y += rowHeight
	}
	d.Height = y - 10
	d.Summary = fmt.Sprintf("Sequence diagram with %d messages. The list of messages says the same in words.", len(messages))
	return d
}

func leftOut(n int) string {
	if n == 1 {
		return "1 message is left out"
	}
	return fmt.Sprintf("%d messages are left out", n)
}

// Bottom is where the lines of the columns end.
func (d diagram) Bottom() int { return d.Height - 4 }

// Over is where the label of an arrow stands, Under what is said of it besides, In the
// number in its circle, and Box the upper edge of a box.
func (r row) Over() int  { return r.Y - 8 }
func (r row) Under() int { return r.Y + 15 }
func (r row) In() int    { return r.Y + 4 }
func (r row) Box() int   { return r.Y - 21 }

// HitX and HitWidth are of the box in which an arrow can be pressed.
func (r row) HitX() int     { return min(r.At, r.To) - clear }
func (r row) HitWidth() int { return max(r.At, r.To) - min(r.At, r.To) + 2*clear }

var drawing = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(pageFiles, "pages/diagram.html"))
})

// Drawn is the diagram as SVG. Its arrows lead to what was said, on the page at an
// address; "" for the page that it is on.
func (d *diagram) Drawn(at string) template.HTML {
	var b bytes.Buffer
	err := drawing().Execute(&b, struct {
		*diagram
		At string
	}{d, at})
	if err != nil {
		panic("demo: " + err.Error()) // the template and what it draws are ours
	}
	return template.HTML(b.String())
}
