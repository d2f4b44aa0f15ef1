// Plotly, loaded once for all pages; the components that draw with it begin with this.
function library(url) {
  window.transferPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      window.transferPlotly = undefined;  // so that it is tried again
      reject(new Error('Plotly cannot be loaded'));
    };
    document.head.append(script);
  });
  return window.transferPlotly;
}
