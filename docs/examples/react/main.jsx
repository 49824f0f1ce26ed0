import "http://127.0.0.1:8080/presencia.js";
import { StrictMode, useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";

/** A call, with its words as React state. It ends when the component goes. */
function Avatar({ language, tools }) {
  const ref = useRef(null);
  const [lines, setLines] = useState([]);

  useEffect(() => {
    const call = ref.current;
    const show = () => setLines([...call.lines]);
    call.addEventListener("presencia-transcript", show);
    const given = Object.entries(tools).map(([name, { run, ...schema }]) => call.registerTool(name, schema, run));
    return () => {
      call.removeEventListener("presencia-transcript", show);
      for (const takeBack of given) takeBack();
    };
  }, [tools]);

  return (
    <>
      <presencia-call ref={ref} language={language} />
      <ul>{lines.map(({ id, who, text }) => <li key={id}>{who}: {text}</li>)}</ul>
    </>
  );
}

function App() {
  const [isOpen, setOpen] = useState(true);
  const [color, setColor] = useState("white");
  const [tools] = useState({
    paint: {
      description: "Paints the page in a colour.",
      parameters: { type: "object", properties: { color: { type: "string" } }, required: ["color"] },
      run: ({ color }) => {
        setColor(color);
        return "painted";
      },
    },
  });

  return (
    <main style={{ background: color }}>
      <div className="card">
        <button onClick={() => setOpen(!isOpen)}>{isOpen ? "Close" : "Open"}</button>
        {isOpen && <Avatar language="en" tools={tools} />}
      </div>
    </main>
  );
}

createRoot(document.getElementById("root")).render(<StrictMode><App /></StrictMode>);
