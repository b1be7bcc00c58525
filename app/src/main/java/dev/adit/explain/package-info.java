/**
 * {@code adit explain}: a picture of what a command line will do, and what it means in words.
 *
 * <p>From question to picture: {@link dev.adit.explain.Explain} reads the command line, {@link
 * dev.adit.explain.Route} knows what it sets up, {@link dev.adit.explain.Words} says it and {@link
 * dev.adit.explain.Hints} what people get wrong there, {@link dev.adit.explain.Layout} puts the
 * words into boxes on a grid, and {@link dev.adit.explain.TextPicture} and {@link
 * dev.adit.explain.SvgPicture} draw that. Nothing here connects or looks a name up.
 */
@NullMarked
package dev.adit.explain;

import org.jspecify.annotations.NullMarked;
