// Package page is how every page of the server looks and speaks: the frame, the
// style sheet, the icons and the one script; the words in several languages, with
// numbers and dates as people there write them; the headers that keep a page from
// being made to do what it should not; and the tokens that tie a form to the
// browser that was shown it.
//
// A handler opens an [Answer] for a request, builds the data of a page with it, and
// shows one template of a [Set]:
//
//	a := pages.Open(w, r)
//	a.Show(http.StatusOK, set, "things", page.Options{Tab: "things"}, data)
//
// A template is written in English. The function t looks its argument up in the
// catalogue (words/LANGUAGE/*.json, by the English text) and escapes what is put
// into it. What a template shows of a time is a [Moment], which knows the reader's
// place and now.
//
// The package knows no rule, no account and no route.
package page
